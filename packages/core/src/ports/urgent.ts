/**
 * Whether a put must not wait behind other objects: a session's heartbeat tells others that this writer is alive, and is
 * worth nothing when it is late.
 */
export function isUrgent(key: string): boolean {
  return key.startsWith('sessions/')
}

/** Memory that an attempt which was given up may still read or write. */
const inDoubt = new WeakSet<object>()

/**
 * To be called when an attempt failed that may not have ended: it ran out of time, or was answered early. One of `put` may still be
 * sending, and would send whatever is written there next, under the name of what was there before; one of `get` may still be
 * writing.
 */
export function noteInDoubt({ buffer }: Uint8Array): void {
  inDoubt.add(buffer)
}

/** Whether memory may be written to, given to another thread, or trusted to keep what it holds. */
export function mayBeUsedAgain(memory: ArrayBufferLike): boolean {
  return !inDoubt.has(memory)
}

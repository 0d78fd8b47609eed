/** What has to be handed over with bytes that are sent to another thread; shared memory stays where it is. */
export function transferOf({ buffer }: Uint8Array): readonly ArrayBuffer[] {
  return buffer instanceof ArrayBuffer ? [buffer] : []
}

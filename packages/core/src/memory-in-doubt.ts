/** Memory of which an attempt to store it has failed. */
const inDoubt = new WeakSet<object>()

/**
 * To be called when an attempt of `put` failed: one that ran out of time, or was answered early, may still be sending, and
 * would send whatever is written there next, under the name of what was there before.
 */
export function noteInDoubt({ buffer }: Uint8Array): void {
  inDoubt.add(buffer)
}

/** Whether memory whose storing has ended may be written to, or given to another thread. */
export function mayBeUsedAgain(memory: ArrayBufferLike): boolean {
  return !inDoubt.has(memory)
}

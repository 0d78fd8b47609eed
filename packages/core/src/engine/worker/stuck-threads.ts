let stuck = 0

/**
 * That threads could not be ended: native code does not come back, e.g. a read from a dead mount.
 * @param ended resolves when they are after all
 */
export function noteStuckThreads(ended: Promise<unknown>): void {
  stuck++
  void ended.then(() => stuck--)
}

/** Whether there are threads that the end of the process would wait for in vain. */
export function hasStuckThreads(): boolean {
  return stuck > 0
}

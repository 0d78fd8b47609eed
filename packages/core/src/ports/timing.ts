import { setTimeout as sleep } from 'node:timers/promises'
import { allowMany } from './aborting.js'

/** Time as the wrappers of storages see it, so that tests need not wait. */
export interface Timing {
  /** Milliseconds since 1970. */
  now(): number
  /** Resolves after so many milliseconds. @throws the reason of the signal, at once */
  wait(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemTiming: Timing = {
  now: Date.now,
  async wait(delayMs, signal) {
    if (signal !== undefined) allowMany(signal)
    try {
      await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
}

import { PortError } from '@bkp/plugin-api'
import { whenAborted } from './aborting.js'
import type { Timing } from './timing.js'

export interface TimeLimit {
  /** What is done, in messages: begins a sentence. */
  readonly what: string
  readonly limitMs: number
  /** How long a call that is aborted may take to tidy up. */
  readonly abortMs: number
  readonly timing: Timing
}

/**
 * Waits for `action` no longer than it may take, whether or not it listens to the signal of `controller`, which is aborted
 * when the time is up or the caller's signal is.
 * @throws PortError `transient` when the time is up; the reason of the caller's signal
 */
export async function withinTime<T>(
  { what, limitMs, abortMs, timing }: TimeLimit,
  signal: AbortSignal | undefined,
  controller: AbortController,
  action: () => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const ended = new AbortController()
  const timeIsUp = async () => {
    await timing.wait(limitMs, ended.signal)
    throw new PortError('transient', `${what} took longer than ${Math.round(limitMs / 1000)} s`)
  }
  let forget = () => {}
  const aborted = new Promise<never>((_, reject) => {
    forget = whenAborted(signal, () => {
      controller.abort(signal?.reason)
      // The second is what happens when the call ends in time.
      timing.wait(abortMs, ended.signal).then(
        () => reject(signal?.reason),
        () => undefined,
      )
    })
  })
  try {
    return await Promise.race([action(), timeIsUp(), aborted])
  } catch (error) {
    controller.abort(error)
    throw error
  } finally {
    ended.abort()
    forget()
  }
}

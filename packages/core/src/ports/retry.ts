import { isPortError, type PortError, type PortErrorCode } from '@bkp/plugin-api'
import type { Timing } from './timing.js'

/** How often and how patiently to try again. */
export interface RetryPolicy {
  /** Attempts after the first. */
  readonly retries: number
  /** Doubled from one attempt to the next; a random part of up to a half is taken off, so that many do not come at once. */
  readonly firstDelayMs: number
  readonly maxDelayMs: number
  /** The longest wait that the far side may ask for. */
  readonly maxAskedDelayMs: number
  /** No attempt begins later than this after the first failure: one that is dead is found dead in time. */
  readonly patienceMs: number
}

/** Told before each wait. */
export interface Wait {
  readonly error: PortError
  readonly delayMs: number
  /** Attempts left, the next one included. */
  readonly retriesLeft: number
}

export interface RetryParts {
  readonly policy: RetryPolicy
  readonly timing: Timing
  /** From 0 to less than 1. */
  readonly random: () => number
  /** What passes by itself; by default also an end of the line. */
  readonly worthRetrying?: readonly PortErrorCode[]
  /** Aborted when nobody needs it any more: what fails then has failed, and what waits for another attempt ends with its failure. */
  readonly ended?: AbortSignal
  readonly onWait?: (wait: Wait) => void
  readonly onWaited?: (delayMs: number) => void
}

/** `auth` is not among them: a plugin renews what expires itself, and wrong credentials stay wrong. */
const passing: readonly PortErrorCode[] = ['transient', 'throttled', 'offline']

/** Repeats what failed for a reason that passes, and waits for as long as the far side asks, within limits. */
export async function retried<T>(
  action: () => Promise<T>,
  { policy, timing, random, worthRetrying = passing, ended, onWait, onWaited }: RetryParts,
  signal?: AbortSignal,
): Promise<T> {
  let firstFailureAt: number | undefined
  for (let retriesLeft = policy.retries; ; retriesLeft--) {
    signal?.throwIfAborted()
    try {
      return await action()
    } catch (error) {
      if (!isPortError(error) || !worthRetrying.includes(error.code) || retriesLeft === 0) throw error
      if (ended?.aborted) throw error
      const now = timing.now()
      firstFailureAt ??= now
      const delayMs = delayOf(policy, policy.retries - retriesLeft, error, random)
      if (now + delayMs - firstFailureAt > policy.patienceMs) throw error
      if (!signal?.aborted) onWait?.({ error, delayMs, retriesLeft })
      await timing.wait(delayMs, eitherOf(signal, ended)).catch((reason: unknown) => {
        throw signal?.aborted || !ended?.aborted ? reason : error
      })
      onWaited?.(delayMs)
    }
  }
}

function eitherOf(one: AbortSignal | undefined, other: AbortSignal | undefined): AbortSignal | undefined {
  return one === undefined || other === undefined ? (one ?? other) : AbortSignal.any([one, other])
}

/** @param attempt counted from 0 */
function delayOf(policy: RetryPolicy, attempt: number, { retryAfterMs = 0 }: PortError, random: () => number): number {
  const { firstDelayMs, maxDelayMs, maxAskedDelayMs } = policy
  const own = Math.min(maxDelayMs, firstDelayMs * 2 ** attempt) * (1 - random() / 2)
  return Math.round(Math.max(own, Math.min(retryAfterMs, maxAskedDelayMs)))
}

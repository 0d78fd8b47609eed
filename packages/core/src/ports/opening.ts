import type { Destination } from '../config/destination.js'
import { type RetryParts, type RetryPolicy, retried } from './retry.js'
import { defaultRetryPolicy, retryPolicyOf } from './retrying.js'
import { systemTiming } from './timing.js'

/** Shorter than for a call in the middle of a run: everything waits for it. */
const openingPolicy: RetryPolicy = { ...defaultRetryPolicy, retries: 4, patienceMs: 20_000 }

/**
 * Opens a storage again when it was refused for a reason that passes: a server that is busy at this moment. One that cannot be
 * reached is told at once, since other destinations wait.
 *
 * @throws what `open` throws in the end
 */
export function openPatiently<T>(
  open: () => Promise<T>,
  { patience = {} }: Pick<Destination, 'patience'>,
  parts: Partial<RetryParts> = {},
): Promise<T> {
  const asked = retryPolicyOf(openingPolicy, patience)
  const policy = { ...asked, patienceMs: Math.min(asked.patienceMs, openingPolicy.patienceMs) }
  const worthRetrying = ['transient', 'throttled'] as const
  return retried(open, { policy, timing: systemTiming, random: Math.random, worthRetrying, ...parts })
}

import type { Storage } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import { bandwidthLimiterOf } from './bandwidth.js'
import {
  compose,
  type StorageWrapper,
  withBandwidth,
  withConcurrency,
  withDryRun,
  withIntegrity,
  withMeter,
  withRetry,
  withTimeout,
} from './compose.js'
import { StorageMeter, type StorageMetrics } from './metrics.js'
import type { RetryPolicy } from './retry.js'
import { defaultRetryPolicy, localRetryPolicy, type RetryNotice, retryPolicyOf } from './retrying.js'
import { defaultTimeLimits, type TimeLimits, timeLimitsOf } from './timeout.js'
import { systemTiming, type Timing } from './timing.js'

/** What stands around a storage beyond what its destination says; everything has a default. */
export interface WrapParts {
  readonly timing?: Timing
  readonly random?: () => number
  readonly retry?: RetryPolicy
  readonly timeLimits?: TimeLimits
  /** Whether calls of a storage that says it is local have a time limit, too: a generous one. */
  readonly limitsLocal?: boolean
  /** Whether it is known not to write into the memory of a call that was given up; plugins of bkp's own are. */
  readonly leavesMemoryAlone?: boolean
  readonly onRetry?: (notice: RetryNotice) => void
  /** `dry-run`: reads, but only counts what would be written or removed. */
  readonly mode?: 'normal' | 'dry-run'
}

/** A disk that spins up, or is checked, is no reason to give up. */
const localTimeLimits: TimeLimits = { ...defaultTimeLimits, baseMs: 600_000 }

/** A storage with everything around it. */
export interface WrappedStorage extends Storage {
  /** What it was asked for so far. */
  metrics(): StorageMetrics
}

/**
 * Puts core's wrappers around a storage, from the outside to the inside:
 *
 * 1. dry run: what is not done needs none of the others;
 * 2. retry: sees every failure below, and holds no place and no bandwidth while it waits;
 * 3. integrity: an answer that came short is asked for again;
 * 4. bandwidth: for every attempt, and before a place is taken, since objects that wait for bandwidth for minutes must not
 *    keep those of the other direction from theirs;
 * 5. concurrency: a place is held only while the storage works;
 * 6. metrics: counts what reaches the storage, what ran out of time included, without any waiting;
 * 7. time limit: for one attempt, innermost, so that neither a queue nor the destination's own bandwidth limit counts.
 *
 * Local storages of bkp's own have neither a time limit (a system call cannot be aborted) nor a queue (the engine has few calls at once).
 */
export function wrapStorage(raw: Storage, destination: Destination, parts: WrapParts = {}): WrappedStorage {
  const { capabilities } = raw
  const timing = parts.timing ?? systemTiming
  const meter = new StorageMeter()
  const limiter = bandwidthLimiterOf(destination.limits, timing, meter)
  const { patience } = destination
  const policy = parts.retry ?? retryPolicyOf(capabilities.isLocal ? localRetryPolicy : defaultRetryPolicy, patience)
  const { random, onRetry } = parts
  const network: StorageWrapper[] = capabilities.isLocal
    ? [...(parts.limitsLocal ? [withTimeout({ limits: localTimeLimits, timing })] : []), withMeter(meter)]
    : [
        withTimeout({
          limits: parts.timeLimits ?? timeLimitsOf(patience),
          timing,
          leavesMemoryAlone: parts.leavesMemoryAlone ?? false,
        }),
        withMeter(meter),
        withConcurrency(capabilities.concurrency),
      ]
  const wrapped = compose(
    raw,
    ...network,
    ...(limiter === undefined ? [] : [withBandwidth(limiter)]),
    withIntegrity(),
    withRetry({ policy, timing, meter, ...(random && { random }), ...(onRetry && { onRetry }) }),
    ...(parts.mode === 'dry-run' ? [withDryRun(meter)] : []),
  )
  return measured(wrapped, meter)
}

function measured(storage: Storage, meter: StorageMeter): WrappedStorage {
  return Object.assign(storage, { metrics: () => meter.snapshot() })
}

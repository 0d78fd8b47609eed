import type { GetOptions, PutOptions, Storage } from '@bkp/plugin-api'
import type { TransferLimits } from '../config/destination.js'
import { type RateAt, rateOf } from '../config/rate-schedule.js'
import { ForwardingStorage } from './forwarding.js'
import type { StorageMeter } from './metrics.js'
import { RateLimiter } from './rate-limiter.js'
import type { Timing } from './timing.js'
import { isUrgent } from './urgent.js'

/** What all calls of one destination share. */
export interface BandwidthLimiter {
  readonly upload: RateLimiter | undefined
  readonly download: RateLimiter | undefined
  readonly timing: Timing
  readonly meter: StorageMeter
}

/** @returns undefined when nothing is limited at any time of the day */
export function bandwidthLimiterOf(
  limits: TransferLimits | undefined,
  timing: Timing,
  meter: StorageMeter,
): BandwidthLimiter | undefined {
  if (limits === undefined) return undefined
  const limiterOf = (rateAt: RateAt | undefined) => rateAt && new RateLimiter(rateAt, timing)
  const [upload, download] = [limiterOf(rateOf(limits, 'upload')), limiterOf(rateOf(limits, 'download'))]
  return upload || download ? { upload, download, timing, meter } : undefined
}

/**
 * Keeps the average rate of a destination. A storage is handed whole objects, so shaping goes by object: one begins when
 * all before it are paid for, and then goes at the speed of the line. Over some objects the rate is right, for all calls of
 * the destination together; within the seconds of one object it may be exceeded. Objects of a limited destination go one
 * after the other, unless the line is slower than the limit. Every attempt costs, also one that fails.
 *
 * Session heartbeats are charged but do not wait. A `get` of a whole object is charged when its size is known: afterwards.
 * Lists, stats and removals are free.
 */
export class BandwidthStorage extends ForwardingStorage {
  readonly #limiter: BandwidthLimiter

  constructor(inner: Storage, limiter: BandwidthLimiter) {
    super(inner)
    this.#limiter = limiter
  }

  override async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    const { upload } = this.#limiter
    if (isUrgent(key)) upload?.charge(data.length)
    else await this.#wait(upload, data.length, options.signal)
    await this.inner.put(key, data, options)
  }

  override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { download } = this.#limiter
    const known = options.length ?? options.into?.length
    await this.#wait(download, known ?? 0, options.signal)
    const bytes = await this.inner.get(key, options)
    if (known === undefined) download?.charge(bytes.length)
    return bytes
  }

  async #wait(limiter: RateLimiter | undefined, bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (limiter === undefined) return
    const { timing, meter } = this.#limiter
    const began = timing.now()
    try {
      await limiter.take(bytes, signal)
    } finally {
      meter.limited(timing.now() - began)
    }
  }
}

import { nextMinute, type RateAt } from '../config/rate-schedule.js'
import { untilAborted } from './aborting.js'
import type { Timing } from './timing.js'

/**
 * A token bucket that is never full: bytes are a debt that the rate pays off, and nobody begins before all earlier debt is
 * paid. So an object is let through at once after a pause, and the next one waits for as long as the rate needs for it.
 */
export class RateLimiter {
  readonly #rateAt: RateAt
  readonly #timing: Timing
  #debtBytes = 0
  #settledAt: number
  #last: Promise<unknown> = Promise.resolve()

  constructor(rateAt: RateAt, timing: Timing) {
    this.#rateAt = rateAt
    this.#timing = timing
    this.#settledAt = timing.now()
  }

  /** Waits, in the order of the calls, until these bytes may pass. @throws the reason of the signal, at once */
  take(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#last.then(() => this.#pass(bytes, signal))
    // Who leaves the queue does not stop those behind.
    this.#last = turn.catch(() => undefined)
    return untilAborted(turn, signal)
  }

  /** Adds bytes that could not wait, or whose number was not known before. */
  charge(bytes: number): void {
    this.#settle()
    this.#debtBytes += bytes
  }

  async #pass(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    for (let waitMs = this.#waitMs(); waitMs > 0; waitMs = this.#waitMs()) await this.#timing.wait(waitMs, signal)
    this.#debtBytes += bytes
  }

  /** How long to wait before looking again: never past the next minute, when another rate may begin. */
  #waitMs(): number {
    this.#settle()
    const rate = this.#rateAt(this.#settledAt)
    if (rate === undefined || (rate > 0 && this.#debtBytes === 0)) return 0
    const paidMs = rate > 0 ? Math.ceil((this.#debtBytes / rate) * 1000) : Number.POSITIVE_INFINITY
    return Math.min(paidMs, nextMinute(this.#settledAt) - this.#settledAt)
  }

  /** Pays off what the time since the last look was worth, minute by minute at the rate of each. */
  #settle(): void {
    const now = this.#timing.now()
    for (let at = this.#settledAt; at < now && this.#debtBytes > 0; ) {
      const end = Math.min(now, nextMinute(at))
      const rate = this.#rateAt(at)
      const paid = rate === undefined ? this.#debtBytes : (rate * (end - at)) / 1000
      this.#debtBytes = Math.max(0, this.#debtBytes - paid)
      at = end
    }
    this.#settledAt = now
  }
}

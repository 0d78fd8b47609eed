import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Timing } from '../timing.js'

interface Waiter {
  readonly at: number
  readonly wake: () => void
}

/** Time that passes only when a test says so. */
export class ManualTiming implements Timing {
  #now: number
  #waiters: Waiter[] = []
  /** Every wait that was asked for, in milliseconds. */
  readonly waits: number[] = []

  constructor(start = Date.UTC(2026, 10, 24, 12)) {
    this.#now = start
  }

  now = () => this.#now

  /** How many wait now. */
  get waiting(): number {
    return this.#waiters.length
  }

  wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    this.waits.push(delayMs)
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const waiter = { at: this.#now + delayMs, wake: resolve }
      this.#waiters.push(waiter)
      signal?.addEventListener('abort', () => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter)
        reject(signal.reason)
      })
    })
  }

  /** Lets time pass, waking whoever waits, one after the other. */
  async advance(byMs: number): Promise<void> {
    const end = this.#now + byMs
    await nextTurn()
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#waiters = this.#waiters.filter((other) => other !== next)
      this.#now = Math.max(this.#now, next.at)
      next.wake()
      await nextTurn()
    }
    this.#now = end
  }

  /** Lets time pass until `running` has ended, and gives its outcome. */
  async finish<T>(running: Promise<T>, stepMs = 1000): Promise<T> {
    let isDone = false
    const ended = () => {
      isDone = true
    }
    running.then(ended, ended)
    await nextTurn()
    while (!isDone) await this.advance(stepMs)
    return running
  }

  #nextBefore(end: number): Waiter | undefined {
    const due = this.#waiters.filter(({ at }) => at <= end)
    return due.reduce<Waiter | undefined>((first, one) => (first && first.at <= one.at ? first : one), undefined)
  }
}

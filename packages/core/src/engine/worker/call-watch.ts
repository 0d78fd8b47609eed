import { BkpError } from '../../errors/index.js'
import type { ForeignPlugin } from '../../repository/codecs.js'
import { CallMeter, type RunningCall } from './call-meter.js'

/** A plugin has that long for one call in a thread: a source may wait for a database that thinks. */
export const defaultCallLimitMs = 600_000
/** How often is looked at least, in parts of the limit, and at most, in milliseconds. */
const looksPerLimit = 10
const longestBetweenLooksMs = 5_000

/**
 * Looks every few seconds for calls that do not end. It counts looks, not time: a machine that slept has not waited for a
 * plugin.
 */
export class CallWatch {
  readonly memory: SharedArrayBuffer
  readonly #limitMs: number
  readonly #betweenMs: number
  readonly #onHang: (thread: number, error: BkpError) => void
  readonly #meters: readonly CallMeter[]
  /** By thread: how often each call was seen. */
  readonly #seen: Map<number, number>[]
  readonly #timer: NodeJS.Timeout

  /** @param onHang is told of the first call of a thread that takes too long, again and again until the watch is closed */
  constructor(
    threads: number,
    plugins: readonly ForeignPlugin[],
    limitMs: number,
    onHang: (thread: number, error: BkpError) => void,
  ) {
    this.memory = CallMeter.memoryFor(threads)
    this.#limitMs = limitMs
    this.#betweenMs = Math.min(longestBetweenLooksMs, Math.ceil(limitMs / looksPerLimit))
    this.#onHang = onHang
    this.#meters = Array.from({ length: threads }, (_, thread) => new CallMeter(this.memory, thread, plugins))
    this.#seen = this.#meters.map(() => new Map<number, number>())
    this.#timer = setInterval(() => this.look(), this.#betweenMs)
    this.#timer.unref()
  }

  look(): void {
    for (const [thread, meter] of this.#meters.entries()) {
      const calls = meter.running()
      const before = this.#seen[thread]
      const seen = new Map(calls.map(({ number }) => [number, (before?.get(number) ?? 0) + 1]))
      this.#seen[thread] = seen
      const looks = (call: RunningCall) => ((seen.get(call.number) ?? 0) - 1) * this.#betweenMs
      if (!calls.some((call) => looks(call) >= this.#limitMs)) continue
      // What keeps a thread busy is what was called last; older calls may only wait for it to become free.
      const guilty = calls.findLast((call) => looks(call) >= this.#limitMs / 2)
      if (guilty !== undefined) this.#onHang(thread, hung(guilty, this.#limitMs))
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

function hung({ packageName, name }: RunningCall, limitMs: number): BkpError {
  return new BkpError(
    'plugin-failed',
    `The plugin ${packageName} failed: its ${name} did not come back within ${limitMs / 1000} s`,
    {
      hint: `Run it without ${packageName}, or give it more time (BKP_PLUGIN_TIMEOUT, in seconds); report this to its author`,
    },
  )
}

import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import type { Patience } from '../config/destination.js'
import { maxObjectBytes } from '../format/limits.js'
import { mayBeUsedAgain, noteInDoubt } from '../memory-in-doubt.js'
import { allowMany } from './aborting.js'
import { ForwardingStorage } from './forwarding.js'
import { withinTime } from './time-limit.js'
import type { Timing } from './timing.js'

/** How long one attempt may take: `baseMs` and, for what is transferred, the time that it needs at the slowest rate. */
export interface TimeLimits {
  readonly baseMs: number
  /** Of one transfer; several may share the line. */
  readonly minBytesPerSecond: number
  /** How long a call that is aborted may take to tidy up. */
  readonly abortMs: number
  /** How long closing may take. */
  readonly closeMs: number
}

/** Eight transfers share a line of 1 Mbit/s: a limit that is too short would let no pack ever arrive. */
export const defaultTimeLimits: TimeLimits = {
  baseMs: 60_000,
  minBytesPerSecond: 16 * 1024,
  abortMs: 5_000,
  closeMs: 10_000,
}

export function timeLimitsOf({ callSeconds, slowestBytesPerSecond }: Patience = {}): TimeLimits {
  const { baseMs, minBytesPerSecond } = defaultTimeLimits
  return {
    ...defaultTimeLimits,
    baseMs: callSeconds === undefined ? baseMs : callSeconds * 1000,
    minBytesPerSecond: slowestBytesPerSecond ?? minBytesPerSecond,
  }
}

export interface TimeoutParts {
  readonly limits: TimeLimits
  readonly timing: Timing
  /** Whether the storage is known to leave `into` alone once its signal is aborted. */
  readonly leavesMemoryAlone?: boolean
}

/** Sizes that are not known before a whole object is read: nothing else of ours is larger than this. */
const largestOther = 4 * 1024 * 1024

/**
 * Lets no call hang. What takes too long is aborted and rejects with `transient`, whether or not the storage listens to the
 * signal. A storage that does not may still be at work, reading what it was given for `put`, or, unless it is known, writing to
 * `into`: callers use such memory again only if `mayBeUsedAgain` says so, and what was read to where it does not, is not to be
 * trusted.
 *
 * A list has the time from one object to the next.
 */
export class TimeoutStorage extends ForwardingStorage {
  readonly #limits: TimeLimits
  readonly #timing: Timing
  readonly #leavesMemoryAlone: boolean

  constructor(inner: Storage, { limits, timing, leavesMemoryAlone = false }: TimeoutParts) {
    super(inner)
    this.#limits = limits
    this.#timing = timing
    this.#leavesMemoryAlone = leavesMemoryAlone
  }

  override put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    return this.#call(`Storing ${key}`, data.length, options.signal, (signal) =>
      this.inner.put(key, data, { ...options, signal }),
    )
  }

  override async get(key: string, { into, ...options }: GetOptions = {}): Promise<Uint8Array> {
    const length = options.length ?? into?.length
    const expected = length ?? (/^(packs|index)\//.test(key) ? maxObjectBytes : largestOther)
    // Another attempt may still be writing there.
    const lent = into === undefined || !mayBeUsedAgain(into.buffer) ? undefined : into
    const range = { ...(length === undefined ? {} : { length }), ...(lent === undefined ? {} : { into: lent }) }
    let isOver = this.#leavesMemoryAlone
    try {
      return await this.#call(`Reading ${key}`, expected, options.signal, (signal) =>
        this.inner.get(key, { ...options, ...range, signal }).finally(() => {
          isOver = true
        }),
      )
    } catch (error) {
      if (!isOver && lent !== undefined) noteInDoubt(lent)
      throw error
    }
  }

  override stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return this.#call(`Looking at ${key}`, 0, options.signal, (signal) => this.inner.stat(key, { ...options, signal }))
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const controller = newController()
    const objects = this.inner.list(prefix, { ...options, signal: controller.signal })[Symbol.asyncIterator]()
    const what = `Listing ${prefix === '' ? 'everything' : prefix}`
    const step = <T>(action: () => Promise<T>) => this.#within(what, 0, options.signal, controller, action)
    let isAtWork = true
    try {
      for (let result = await step(() => objects.next()); !result.done; result = await step(() => objects.next())) {
        isAtWork = false
        yield result.value
        isAtWork = true
      }
    } finally {
      controller.abort(new PortError('transient', `${what} is over`))
      const returned = objects.return?.()
      // One that hangs would not even hear that it may end.
      if (isAtWork) returned?.catch(() => undefined)
      else await this.#within(what, 0, undefined, controller, async () => returned)
    }
  }

  override remove(key: string, options: CallOptions = {}): Promise<void> {
    return this.#call(`Removing ${key}`, 0, options.signal, (signal) => this.inner.remove(key, { ...options, signal }))
  }

  /** Nothing depends on a connection that is left behind: what was stored is stored. */
  override async close(): Promise<void> {
    const closed = new AbortController()
    const timeIsUp = this.#timing.wait(this.#limits.closeMs, closed.signal)
    try {
      await Promise.race([this.inner.close(), timeIsUp])
    } finally {
      closed.abort()
    }
  }

  #call<T>(
    what: string,
    bytes: number,
    signal: AbortSignal | undefined,
    action: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const controller = newController()
    return this.#within(what, bytes, signal, controller, () => action(controller.signal))
  }

  async #within<T>(
    what: string,
    bytes: number,
    signal: AbortSignal | undefined,
    controller: AbortController,
    action: () => Promise<T>,
  ): Promise<T> {
    const { baseMs, minBytesPerSecond, abortMs } = this.#limits
    const limitMs = baseMs + Math.ceil((bytes / minBytesPerSecond) * 1000)
    return withinTime({ what, limitMs, abortMs, timing: this.#timing }, signal, controller, action)
  }
}

/** A storage may make many requests for one call. */
function newController(): AbortController {
  const controller = new AbortController()
  allowMany(controller.signal)
  return controller
}

import {
  type CallOptions,
  copyInto,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import type { Patience } from '../config/destination.js'
import { maxObjectBytes } from '../format/limits.js'
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
  /** Whether the storage is known to leave `into` alone once its signal is aborted, so that it may have it. */
  readonly leavesMemoryAlone?: boolean
}

/** Sizes that are not known before a whole object is read: nothing else of ours is larger than this. */
const largestOther = 4 * 1024 * 1024

/** What is read from disks of this machine at a time, where it needs memory of ours: calls cost little there, memory much. */
const pieceBytes = 4 * 1024 * 1024
/** Smaller answers are given fresh memory. */
const leastSpare = 1024 * 1024
const mostSpare = 3

/**
 * Lets no call hang. What takes too long is aborted and rejects with `transient`, whether or not the storage listens to the
 * signal. A storage that does not may still be at work: unless it is known, it gets no memory that the caller may use again
 * (`into`), but memory of ours, which is used again only after the storage has given what was asked for; and callers must not
 * change bytes that they have given to `put` unless they ask `mayBeUsedAgain` first.
 *
 * A list has the time from one object to the next.
 */
export class TimeoutStorage extends ForwardingStorage {
  readonly #limits: TimeLimits
  readonly #timing: Timing
  readonly #leavesMemoryAlone: boolean
  /** Memory of answers that nobody writes to any more. */
  readonly #spare: SharedArrayBuffer[] = []

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

  override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { into, offset = 0 } = options
    const needsOurs = into !== undefined && !this.#leavesMemoryAlone
    if (!needsOurs || into.length <= pieceBytes || !this.inner.capabilities.isLocal) return this.#get(key, options)
    for (let at = 0; at < into.length; at += pieceBytes) {
      const piece = into.subarray(at, at + pieceBytes)
      const bytes = await this.#get(key, { ...options, offset: offset + at, length: piece.length, into: piece })
      // An answer of another length is for others to judge.
      if (bytes.length !== piece.length) return Buffer.concat([into.subarray(0, at), bytes])
    }
    return into
  }

  async #get(key: string, { into, ...options }: GetOptions): Promise<Uint8Array> {
    const length = options.length ?? into?.length
    const expected = length ?? (/^(packs|index)\//.test(key) ? maxObjectBytes : largestOther)
    const isLent = this.#leavesMemoryAlone || into === undefined
    const memory = isLent ? into : this.#memory(into.length)
    const range = { ...(length === undefined ? {} : { length }), ...(memory === undefined ? {} : { into: memory }) }
    const bytes = await this.#call(`Reading ${key}`, expected, options.signal, (signal) =>
      this.inner.get(key, { ...options, ...range, signal }),
    )
    // An answer of another length is for others to judge.
    if (isLent || into.length !== bytes.length) return bytes
    copyInto(into, bytes)
    this.#keep(memory)
    return into
  }

  /** Shared, for storages in other threads; used again, since fresh memory of this size costs as much as what is done with it. */
  #memory(length: number): Uint8Array | undefined {
    if (length < leastSpare) return undefined
    const at = this.#spare.findIndex(({ byteLength }) => byteLength >= length)
    const [buffer = new SharedArrayBuffer(length)] = at < 0 ? [] : this.#spare.splice(at, 1)
    return new Uint8Array(buffer, 0, length)
  }

  #keep(memory: Uint8Array | undefined): void {
    if (memory?.buffer instanceof SharedArrayBuffer && this.#spare.length < mostSpare) this.#spare.push(memory.buffer)
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

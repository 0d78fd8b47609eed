import type { CallOptions, GetOptions, PutOptions, Storage, StoredObject } from '@bkp/plugin-api'
import pLimit, { type LimitFunction } from 'p-limit'
import { whenAborted } from './aborting.js'
import { ForwardingStorage } from './forwarding.js'
import { isUrgent } from './urgent.js'

/**
 * Lets so many transfers run at once, in the order in which they came. Short calls (stat, remove, the steps of a list, a
 * session's heartbeat) have as many places of their own: they never wait behind big objects.
 *
 * A list holds a place only while the storage works on its next object: who takes its objects may make other calls.
 */
export class ConcurrencyStorage extends ForwardingStorage {
  readonly #transfers: LimitFunction
  readonly #shortCalls: LimitFunction

  /** @param limit at least 1 */
  constructor(inner: Storage, limit: number) {
    super(inner)
    this.#transfers = pLimit(limit)
    this.#shortCalls = pLimit(limit)
  }

  override put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    const lane = isUrgent(key) ? this.#shortCalls : this.#transfers
    return inLane(lane, options.signal, () => this.inner.put(key, data, options))
  }

  override get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return inLane(this.#transfers, options.signal, () => this.inner.get(key, options))
  }

  override stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return inLane(this.#shortCalls, options.signal, () => this.inner.stat(key, options))
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const objects = this.inner.list(prefix, options)[Symbol.asyncIterator]()
    const next = () => inLane(this.#shortCalls, options.signal, () => objects.next())
    try {
      for (let result = await next(); !result.done; result = await next()) yield result.value
    } finally {
      await objects.return?.()
    }
  }

  override remove(key: string, options: CallOptions = {}): Promise<void> {
    return inLane(this.#shortCalls, options.signal, () => this.inner.remove(key, options))
  }
}

/** Runs `action` when a place is free. @throws the reason of the signal at once, also while it waits for a place */
function inLane<T>(lane: LimitFunction, signal: AbortSignal | undefined, action: () => Promise<T>): Promise<T> {
  if (signal === undefined) return lane(action)
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const stayIn = whenAborted(signal, () => reject(signal.reason))
    lane(async () => {
      stayIn()
      // Who has left the queue gives the place on to the next.
      if (!signal.aborted) resolve(await action())
    }).catch(reject)
  })
}

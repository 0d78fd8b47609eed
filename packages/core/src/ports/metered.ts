import type { CallOptions, GetOptions, PutOptions, Storage, StoredObject } from '@bkp/plugin-api'
import { ForwardingStorage } from './forwarding.js'
import type { StorageMeter } from './metrics.js'
import type { StorageCall } from './storage-call.js'

/** Counts every attempt that reaches the storage: this is what a provider sees, and what it charges for. */
export class MeteredStorage extends ForwardingStorage {
  readonly #meter: StorageMeter

  constructor(inner: Storage, meter: StorageMeter) {
    super(inner)
    this.#meter = meter
  }

  override put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#measure(
      'put',
      () => this.inner.put(key, data, options),
      () => data.length,
    )
  }

  override get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#measure(
      'get',
      () => this.inner.get(key, options),
      ({ length }) => length,
    )
  }

  override stat(key: string, options?: CallOptions): Promise<StoredObject> {
    return this.#measure('stat', () => this.inner.stat(key, options), none)
  }

  override async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    // Only the storage's time counts, not that of whoever takes the objects.
    let elapsedMs = 0
    let objects = 0
    let isFailed = true
    let began = performance.now()
    try {
      for await (const object of this.inner.list(prefix, options)) {
        objects++
        elapsedMs += performance.now() - began
        isFailed = false
        yield object
        isFailed = true
        began = performance.now()
      }
      elapsedMs += performance.now() - began
      isFailed = false
    } finally {
      // Left early by its taker, a list has not failed.
      if (isFailed) this.#meter.failed('list', elapsedMs + performance.now() - began, { objects })
      else this.#meter.ended('list', elapsedMs, { objects, bytes: 0 })
    }
  }

  override remove(key: string, options?: CallOptions): Promise<void> {
    return this.#measure('remove', () => this.inner.remove(key, options), none)
  }

  async #measure<T>(call: StorageCall, action: () => Promise<T>, bytesOf: (result: T) => number): Promise<T> {
    const began = performance.now()
    try {
      const result = await action()
      this.#meter.ended(call, performance.now() - began, { objects: 1, bytes: bytesOf(result) })
      return result
    } catch (error) {
      this.#meter.failed(call, performance.now() - began, { objects: 0 })
      throw error
    }
  }
}

function none(): number {
  return 0
}

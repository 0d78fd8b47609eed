import type { CallOptions, GetOptions, PutOptions, Storage, StorageCapabilities, StoredObject } from '@bkp/plugin-api'

/** Passes every call on as it is. A wrapper overrides what it changes. */
export class ForwardingStorage implements Storage {
  protected readonly inner: Storage

  constructor(inner: Storage) {
    this.inner = inner
  }

  get capabilities(): StorageCapabilities {
    return this.inner.capabilities
  }

  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    return this.inner.put(key, data, options)
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.inner.get(key, options)
  }

  stat(key: string, options?: CallOptions): Promise<StoredObject> {
    return this.inner.stat(key, options)
  }

  list(prefix: string, options?: CallOptions): AsyncIterable<StoredObject> {
    return this.inner.list(prefix, options)
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.inner.remove(key, options)
  }

  close(): Promise<void> {
    return this.inner.close()
  }

  /** Undefined where the storage does not tell its time. */
  get now(): Storage['now'] {
    const { inner } = this
    return inner.now === undefined ? undefined : inner.now.bind(inner)
  }
}

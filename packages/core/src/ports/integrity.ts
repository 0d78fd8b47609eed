import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import { descriptorKey, objectNameOf, parseObjectKey } from '../format/ids.js'

/**
 * Believes no storage: what is named by its SHA-256 is verified when it is read whole, no answer may be short, and names
 * that are not ours are never passed on.
 */
export class IntegrityStorage implements Storage {
  readonly #inner: Storage

  constructor(inner: Storage) {
    this.#inner = inner
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#inner.put(key, data, options)
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const bytes = await this.#inner.get(key, options)
    const expected = options.length ?? options.into?.length
    if (expected !== undefined && bytes.length !== expected) {
      throw new PortError('transient', `${key} gave ${bytes.length} bytes instead of ${expected}`)
    }
    const parsed = parseObjectKey(key)
    const isWhole = options.offset === undefined && options.length === undefined
    if (isWhole && parsed !== undefined && parsed.family !== 'sessions' && objectNameOf(bytes) !== parsed.name) {
      throw new PortError('corrupt', `the bytes of ${key} do not have the SHA-256 that is its name`)
    }
    return bytes
  }

  stat(key: string, options?: CallOptions): Promise<StoredObject> {
    return this.#inner.stat(key, options)
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    for await (const object of this.#inner.list(prefix, options)) {
      const isOurs = object.key === descriptorKey || parseObjectKey(object.key) !== undefined
      if (isOurs && object.key.startsWith(prefix)) yield object
    }
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#inner.remove(key, options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

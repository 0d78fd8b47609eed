import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'

/** What an in-memory storage is made with. */
export interface InMemoryStorageOptions {
  /** Give two storages the same map and they are two openings of one place. */
  readonly objects?: Map<string, Uint8Array>
  readonly capabilities?: Partial<StorageCapabilities>
}

/** A whole storage without disk or network. Passes `describeStorage`. */
export class InMemoryStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #objects: Map<string, Uint8Array>

  constructor({ objects = new Map(), capabilities = {} }: InMemoryStorageOptions = {}) {
    this.#objects = objects
    this.capabilities = {
      conditionalCreate: true,
      listing: 'strong',
      canRemove: true,
      maxObjectBytes: Number.MAX_SAFE_INTEGER,
      concurrency: 4,
      isLocal: true,
      objectLock: false,
      ...capabilities,
    }
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    await arrival(options)
    if (data.length > this.capabilities.maxObjectBytes) {
      throw new PortError('quota', `${key} is too large: ${data.length} bytes`)
    }
    if (options.ifAbsent && this.#objects.has(key)) throw new PortError('already-exists', `${key} is there already`)
    this.#objects.set(key, Uint8Array.from(data))
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    await arrival(options)
    const bytes = this.#find(key)
    const offset = options.offset ?? 0
    const end = offset + (options.length ?? bytes.length - offset)
    if (offset < 0 || end < offset || end > bytes.length) {
      throw new PortError('range-invalid', `${key} has ${bytes.length} bytes; ${offset} to ${end} were asked for`)
    }
    const range = bytes.subarray(offset, end)
    if (options.into === undefined) return Uint8Array.from(range)
    options.into.set(range)
    return options.into
  }

  async stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    await arrival(options)
    return { key, sizeBytes: this.#find(key).length }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    await arrival(options)
    for (const [key, { length }] of [...this.#objects]) {
      options.signal?.throwIfAborted()
      if (key.startsWith(prefix)) yield { key, sizeBytes: length }
    }
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    await arrival(options)
    if (!this.capabilities.canRemove) throw new PortError('unsupported', `${key} stays: this storage never removes`)
    this.#objects.delete(key)
  }

  async close(): Promise<void> {}

  #find(key: string): Uint8Array {
    const bytes = this.#objects.get(key)
    if (bytes === undefined) throw new PortError('not-found', `${key} is not there`)
    return bytes
  }
}

/** Real calls take a while, so that others run in between and a signal may come meanwhile. */
async function arrival({ signal }: CallOptions): Promise<void> {
  signal?.throwIfAborted()
  await nextTurn()
  signal?.throwIfAborted()
}

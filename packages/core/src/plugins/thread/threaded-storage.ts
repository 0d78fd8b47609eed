import {
  type CallOptions,
  copyInto,
  type GetOptions,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { SpareMemory } from '../../spare-memory.js'
import type { PluginThread } from './plugin-thread.js'
import { leastLent, type OpenedStorage } from './protocol.js'

const mostSpare = 4

/** A storage that runs in the thread of its plugin. */
export class ThreadedStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly now: ((options?: CallOptions) => Promise<number>) | undefined
  readonly #thread: PluginThread
  readonly #handle: number
  readonly #spare = new SpareMemory((bytes) => new ArrayBuffer(bytes), mostSpare)

  constructor(thread: PluginThread, { handle, capabilities, tellsTime }: OpenedStorage) {
    this.#thread = thread
    this.#handle = handle
    this.capabilities = capabilities
    this.now = tellsTime ? ({ signal } = {}) => thread.call('now', [handle], { signal }) : undefined
  }

  async put(key: string, data: Uint8Array, { signal, ifAbsent }: PutOptions = {}): Promise<void> {
    if (data.buffer instanceof SharedArrayBuffer && this.capabilities.sharedMemory === true) {
      await this.#thread.call('put', [this.#handle, key, data, ifAbsent], { signal })
      return
    }
    // A copy: others may be storing the same bytes, and all the memory around them would go along.
    const copy = data.length < leastLent ? new Uint8Array(data.length) : this.#spare.take(data.length)
    copyInto(copy, data)
    const call = { signal, transfer: [copy.buffer] }
    const memory = await this.#thread.call('put', [this.#handle, key, copy, ifAbsent], call)
    if (memory !== undefined) this.#spare.giveBack(memory)
  }

  async get(key: string, { signal, offset, length, into }: GetOptions = {}): Promise<Uint8Array> {
    const range = { ...(offset === undefined ? {} : { offset }), ...(length === undefined ? {} : { length }) }
    const shared = into?.buffer instanceof SharedArrayBuffer ? into : undefined
    const bytes = await this.#thread.call('get', [this.#handle, key, range, shared], { signal })
    return bytes ?? (shared as Uint8Array)
  }

  stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    return this.#thread.call('stat', [this.#handle, key], { signal })
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    const list = await this.#thread.call('list', [this.#handle, prefix], { signal })
    let isOver = false
    try {
      while (!isOver) {
        const { objects, isLast } = await this.#thread.call('next', [list], { signal })
        isOver = isLast
        for (const object of objects) {
          signal?.throwIfAborted()
          yield object
        }
      }
    } finally {
      if (!isOver) await this.#thread.call('endList', [list])
    }
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#thread.call('remove', [this.#handle, key], { signal })
  }

  async close(): Promise<void> {
    await this.#thread.giveBack('closeStorage', this.#handle)
  }
}

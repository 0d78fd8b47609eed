import type { CallOptions, GetOptions, PutOptions, Storage, StorageCapabilities, StoredObject } from '@bkp/plugin-api'
import type { PluginThread } from './plugin-thread.js'
import type { OpenedStorage } from './protocol.js'

/** A storage that runs in the thread of its plugin. Bytes in shared memory cross as they are; others are copied. */
export class ThreadedStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly now: ((options?: CallOptions) => Promise<number>) | undefined
  readonly #thread: PluginThread
  readonly #handle: number

  constructor(thread: PluginThread, { handle, capabilities, tellsTime }: OpenedStorage) {
    this.#thread = thread
    this.#handle = handle
    this.capabilities = capabilities
    this.now = tellsTime ? ({ signal } = {}) => thread.call('now', [handle], { signal }) : undefined
  }

  async put(key: string, data: Uint8Array, { signal, ifAbsent }: PutOptions = {}): Promise<void> {
    // Of bytes that are not shared all of the memory around them would be copied.
    const sent = data.buffer instanceof SharedArrayBuffer ? data : new Uint8Array(data)
    const transfer = sent.buffer instanceof ArrayBuffer ? [sent.buffer] : []
    await this.#thread.call('put', [this.#handle, key, sent, ifAbsent], { signal, transfer })
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
        yield* objects
      }
    } finally {
      if (!isOver) await this.#thread.call('endList', [list])
    }
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#thread.call('remove', [this.#handle, key], { signal })
  }

  async close(): Promise<void> {
    await this.#thread.call('closeStorage', [this.#handle])
  }
}

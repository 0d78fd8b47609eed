import type { CallOptions, GetOptions, PutOptions, Storage, StorageCapabilities, StoredObject } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'

interface RecentChange {
  /** What lists show until then; undefined for nothing. */
  readonly before: StoredObject | undefined
  listsLeft: number
}

/** A storage whose lists are late: get and stat see a change at once, the next `lag` lists do not. */
export class EventualStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #inner: Storage
  readonly #lag: number
  readonly #recent = new Map<string, RecentChange>()

  /** @param lag how many lists after a change still show what was before */
  constructor(inner: Storage, lag: number) {
    this.#inner = inner
    this.#lag = lag
    this.capabilities = { ...inner.capabilities, listing: 'eventual' }
  }

  async put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    await this.#change(key, () => this.#inner.put(key, data, options))
  }

  get(key: string, options?: GetOptions): Promise<Uint8Array> {
    return this.#inner.get(key, options)
  }

  stat(key: string, options?: CallOptions): Promise<StoredObject> {
    return this.#inner.stat(key, options)
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    const late = this.#takeLate(prefix)
    for await (const object of this.#inner.list(prefix, options)) if (!late.has(object.key)) yield object
    for (const before of late.values()) {
      options?.signal?.throwIfAborted()
      if (before !== undefined) yield before
    }
  }

  async remove(key: string, options?: CallOptions): Promise<void> {
    await this.#change(key, () => this.#inner.remove(key, options))
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #change(key: string, action: () => Promise<void>): Promise<void> {
    const before = await this.#find(key)
    await action()
    const earlier = this.#recent.get(key)
    this.#recent.set(key, { before: earlier === undefined ? before : earlier.before, listsLeft: this.#lag })
  }

  /** What differs in this list from what is there. */
  #takeLate(prefix: string): Map<string, StoredObject | undefined> {
    const late = new Map<string, StoredObject | undefined>()
    for (const [key, change] of this.#recent) {
      if (!key.startsWith(prefix)) continue
      if (change.listsLeft === 0) this.#recent.delete(key)
      else late.set(key, change.before)
      change.listsLeft--
    }
    return late
  }

  async #find(key: string): Promise<StoredObject | undefined> {
    try {
      return await this.#inner.stat(key)
    } catch (error) {
      if (isPortError(error, 'not-found')) return undefined
      throw error
    }
  }
}

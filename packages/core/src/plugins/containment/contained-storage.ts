import type { CallOptions, GetOptions, PutOptions, Storage, StorageCapabilities, StoredObject } from '@bkp/plugin-api'
import { type PluginGuard, pluginFailed } from './plugin-guard.js'

/** A storage of a plugin that did not come with bkp: whatever it does wrong is an error with its name. */
export class ContainedStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly now: ((options?: CallOptions) => Promise<number>) | undefined
  readonly #inner: Storage
  readonly #guard: PluginGuard

  /** @throws BkpError `plugin-failed` for what is no storage */
  constructor(inner: Storage, guard: PluginGuard) {
    refuseIncomplete(inner, guard)
    this.#inner = inner
    this.#guard = guard
    this.capabilities = inner.capabilities
    this.now =
      typeof inner.now === 'function'
        ? (options) => guard.run(() => inner.now?.(options) ?? Date.now(), options?.signal)
        : undefined
  }

  put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    return this.#guard.run(() => this.#inner.put(key, data, options), options?.signal)
  }

  async get(key: string, options?: GetOptions): Promise<Uint8Array> {
    const bytes = await this.#guard.run(() => this.#inner.get(key, options), options?.signal)
    if (!(bytes instanceof Uint8Array)) throw this.#wrong('get', 'no bytes')
    return bytes
  }

  async stat(key: string, options?: CallOptions): Promise<StoredObject> {
    const object = await this.#guard.run(() => this.#inner.stat(key, options), options?.signal)
    if (typeof object?.sizeBytes !== 'number') throw this.#wrong('stat', 'no size')
    return object
  }

  async *list(prefix: string, options?: CallOptions): AsyncGenerator<StoredObject> {
    const signal = options?.signal
    const objects = await this.#guard.run(() => this.#inner.list(prefix, options)[Symbol.asyncIterator](), signal)
    let isOver = false
    try {
      for (;;) {
        const result = await this.#guard.run(() => objects.next(), signal)
        if (result.done) break
        if (typeof result.value?.key !== 'string') throw this.#wrong('list', 'an object without a key')
        yield result.value
      }
      isOver = true
    } finally {
      if (!isOver) await this.#guard.run(() => objects.return?.(), signal)
    }
  }

  remove(key: string, options?: CallOptions): Promise<void> {
    return this.#guard.run(() => this.#inner.remove(key, options), options?.signal)
  }

  close(): Promise<void> {
    return this.#guard.run(() => this.#inner.close())
  }

  #wrong(call: string, what: string): Error {
    return pluginFailed(this.#guard.packageName, `${call} of its storage gave ${what}`)
  }
}

const methods = ['put', 'get', 'stat', 'list', 'remove', 'close'] as const

function refuseIncomplete(storage: Storage | undefined, { packageName }: PluginGuard): void {
  const missing = methods.find((name) => typeof storage?.[name] !== 'function')
  if (missing !== undefined) throw pluginFailed(packageName, `its storage has no ${missing}`)
  const { concurrency, maxObjectBytes } = storage?.capabilities ?? {}
  if (!(Number(concurrency) >= 1) || !(Number(maxObjectBytes) > 0))
    throw pluginFailed(packageName, 'its storage does not tell its capabilities')
}

import {
  copyInto,
  type Logger,
  type Notifier,
  PortError,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { activate, type Registered } from '../activate.js'
import { ContainedNotifier } from '../containment/contained-notifier.js'
import { ContainedStorage } from '../containment/contained-storage.js'
import { opened } from '../containment/opening.js'
import type { PluginGuard } from '../containment/plugin-guard.js'
import type { InstalledPlugin } from '../manifest.js'
import { registered } from '../plugin-code.js'
import { type CallName, type Calls, type ListedObjects, leastLent } from './protocol.js'
import { receiveConfiguration } from './sent-configuration.js'

/** Objects of a list that cross at once: as many as come in that time (20 ms), or so many. */
const batchNs = 20_000_000n
const mostInBatch = 1000

/** What goes with a call. */
export interface During {
  readonly signal: AbortSignal
  readonly ask: (question: string) => Promise<boolean>
}

type Handlers = {
  readonly [Name in CallName]: (during: During, ...given: Parameters<Calls[Name]>) => Promise<ReturnType<Calls[Name]>>
}

interface OpenList {
  readonly objects: AsyncIterator<StoredObject>
  readonly abort: AbortController
}

/** Runs calls of the main thread, in the thread of a plugin. */
export class PluginServer {
  readonly #plugin: InstalledPlugin
  readonly #guard: PluginGuard
  readonly #log: Logger
  readonly #storages = new Handles<Storage>()
  readonly #notifiers = new Handles<Notifier>()
  readonly #lists = new Handles<OpenList>()
  #registered: Registered | undefined

  constructor(plugin: InstalledPlugin, guard: PluginGuard, log: Logger) {
    this.#plugin = plugin
    this.#guard = guard
    this.#log = log
  }

  /** @throws PortError as the plugin threw it; the reason of the signal; BkpError `plugin-failed` for everything else */
  run(name: CallName, given: readonly unknown[], during: During): Promise<unknown> {
    const handler = this.#handlers[name] as (during: During, ...given: readonly unknown[]) => Promise<unknown>
    return handler(during, ...given)
  }

  readonly #handlers: Handlers = {
    activate: async () => {
      this.#registered = await activate(this.#plugin, this.#log, this.#guard)
      return undefined
    },
    openStorage: async ({ ask }, id, { url, intent, configuration, canAsk }) => {
      const factory = registered(this.#active.storage, id)
      const request = {
        url,
        intent,
        configuration: receiveConfiguration(configuration),
        log: this.#log,
        ...(canAsk ? { confirm: ask } : {}),
      }
      const inner = await opened(this.#guard, 'its storage', request, factory)
      const storage = new ContainedStorage(inner, this.#guard)
      const capabilities = plainCapabilities(storage.capabilities)
      return { handle: this.#storages.add(storage), capabilities, tellsTime: storage.now !== undefined }
    },
    put: async ({ signal }, storage, key, data, ifAbsent) => {
      await this.#storages.get(storage).put(key, data, { signal, ...(ifAbsent === undefined ? {} : { ifAbsent }) })
      return data.buffer instanceof ArrayBuffer && data.length >= leastLent ? data.buffer : undefined
    },
    get: async ({ signal }, storage, key, range, into) => {
      const options = { ...range, signal, ...(into === undefined ? {} : { into }) }
      const bytes = await this.#storages.get(storage).get(key, options)
      // The plugin may have kept what it gave; an answer of another length is for others to judge.
      if (into?.length !== bytes.length) return new Uint8Array(bytes)
      const isThere = bytes.buffer === into.buffer && bytes.byteOffset === into.byteOffset
      if (!isThere) copyInto(into, bytes)
      return undefined
    },
    stat: async ({ signal }, storage, key) => plain(await this.#storages.get(storage).stat(key, { signal })),
    list: async (_, storage, prefix) => {
      const abort = new AbortController()
      const objects = this.#storages.get(storage).list(prefix, { signal: abort.signal })
      return this.#lists.add({ objects: objects[Symbol.asyncIterator](), abort })
    },
    next: ({ signal }, list) => this.#next(list, signal),
    endList: async (_, list) => {
      const { abort, objects } = this.#lists.take(list)
      abort.abort(new PortError('transient', 'The list is over'))
      await objects.return?.()
      return undefined
    },
    remove: async ({ signal }, storage, key) => {
      await this.#storages.get(storage).remove(key, { signal })
      return undefined
    },
    now: async ({ signal }, storage) => (await this.#storages.get(storage).now?.({ signal })) ?? Date.now(),
    closeStorage: async (_, storage) => {
      await this.#storages.get(storage).close()
      return undefined
    },
    openNotifier: async (_, id, configuration) => {
      const factory = registered(this.#active.notifier, id)
      const request = { configuration: receiveConfiguration(configuration), log: this.#log }
      const inner = await opened(this.#guard, 'its notifier', request, factory)
      return this.#notifiers.add(new ContainedNotifier(inner, this.#guard))
    },
    notify: async ({ signal }, notifier, notification) => {
      await this.#notifiers.get(notifier).notify(notification, { signal })
      return undefined
    },
    closeNotifier: async (_, notifier) => {
      await this.#notifiers.get(notifier).close()
      return undefined
    },
  }

  get #active(): Registered {
    if (this.#registered === undefined) throw new Error(`${this.#plugin.packageName} was not activated`)
    return this.#registered
  }

  async #next(list: number, signal: AbortSignal): Promise<ListedObjects> {
    const { objects: iterator, abort } = this.#lists.get(list)
    signal.addEventListener('abort', () => abort.abort(signal.reason), { once: true })
    const objects: StoredObject[] = []
    const until = process.hrtime.bigint() + batchNs
    while (objects.length < mostInBatch && process.hrtime.bigint() < until) {
      const { done, value } = await iterator.next()
      if (done) {
        this.#lists.take(list)
        return { objects, isLast: true }
      }
      objects.push(plain(value))
    }
    return { objects, isLast: false }
  }
}

// A plugin's own objects may hold what does not cross threads.

function plain({ key, sizeBytes }: StoredObject): StoredObject {
  return { key, sizeBytes }
}

function plainCapabilities(capabilities: StorageCapabilities): StorageCapabilities {
  const { conditionalCreate, listing, canRemove, maxObjectBytes, concurrency, isLocal, objectLock } = capabilities
  const { sharedMemory = false } = capabilities
  return { conditionalCreate, listing, canRemove, maxObjectBytes, concurrency, isLocal, objectLock, sharedMemory }
}

/** Numbers for what only this thread has. */
class Handles<T> {
  readonly #known = new Map<number, T>()
  #last = 0

  add(value: T): number {
    this.#known.set(++this.#last, value)
    return this.#last
  }

  get(handle: number): T {
    const value = this.#known.get(handle)
    if (value === undefined) throw new Error(`There is no ${handle}`)
    return value
  }

  take(handle: number): T {
    const value = this.get(handle)
    this.#known.delete(handle)
    return value
  }
}

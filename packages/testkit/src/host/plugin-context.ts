import { apiVersion, type Logger, type NotifierFactory, type PluginContext, type StorageFactory } from '@bkp/plugin-api'

/** Takes every message and shows none. */
export const silentLog: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** What a context is made with. */
export interface PluginContextOptions {
  /** Default {@link silentLog}. */
  readonly log?: Logger
  /** What the host says it is, default the version of the plugin-api that testkit uses. */
  readonly apiVersion?: string
}

/** A context that remembers what a plugin registers. */
export interface TestPluginContext extends PluginContext {
  /** Storages by id. */
  readonly storages: ReadonlyMap<string, StorageFactory>
  /** Notifiers by id. */
  readonly notifiers: ReadonlyMap<string, NotifierFactory>
}

/** What core gives to a plugin that it activates, for tests. Registering an id twice is an error. */
export function createPluginContext(options: PluginContextOptions = {}): TestPluginContext {
  const storages = new Map<string, StorageFactory>()
  const notifiers = new Map<string, NotifierFactory>()
  return {
    apiVersion: options.apiVersion ?? apiVersion,
    log: options.log ?? silentLog,
    storages,
    notifiers,
    registerStorage: (id, factory) => register(storages, 'storage', id, factory),
    registerNotifier: (id, factory) => register(notifiers, 'notifier', id, factory),
  }
}

function register<T>(factories: Map<string, T>, port: string, id: string, factory: T): void {
  if (factories.has(id)) throw new TypeError(`The ${port} "${id}" was registered twice`)
  factories.set(id, factory)
}

import type { NotifierFactory } from './notifier.js'
import type { Logger, StorageFactory } from './storage.js'

/** The version of this package is the version of the API. */
export const apiVersion = '1.1.0'

/**
 * A JSON Schema object (draft 2020-12) of type `object`. Beside the standard's keywords, properties may have
 * `x-bkp-secret: true` (a secret: never shown, arrives as `Secret`, may not stand in a URL), `x-bkp-env: NAME` (the
 * environment variable that is used when nothing else gives the property), and `x-bkp-ask: true | false` (whether
 * `bkp destinations add` asks for it on a terminal; else it does for what is required and for secrets).
 */
export type JsonSchema = Readonly<Record<string, unknown>>

/** A storage that a manifest declares. */
export interface StorageContribution {
  readonly id: string
  /** URL schemes without the colon, lower case. */
  readonly schemes: readonly string[]
  readonly configuration?: JsonSchema
}

/** A codec, a cipher or a source that a manifest declares. */
export interface WorkerContribution {
  readonly id: string
  /** Path of the worker module inside the package, e.g. `./dist/codec.js`. */
  readonly module: string
  readonly configuration?: JsonSchema
}

/** A notifier that a manifest declares. Since 1.1. */
export interface NotifierContribution {
  readonly id: string
  readonly configuration?: JsonSchema
}

/** The value of the key `bkp` in a plugin's package.json; read without running any of its code. */
export interface PluginManifest {
  /** The range of plugin-api that the plugin was written for, e.g. `^1.0.0`. */
  readonly api: string
  readonly displayName: string
  readonly description?: string
  /**
   * Hosts that the plugin talks to, for people to see before they install it: names, `*.example.com`, or `*` for
   * whatever the user configures. None means that it uses no network. Declared, not enforced. Since 1.1.
   */
  readonly hosts?: readonly string[]
  /** Whether it or something it depends on is native code. Since 1.1. */
  readonly native?: boolean
  readonly contributes: {
    readonly storage?: readonly StorageContribution[]
    readonly compression?: readonly WorkerContribution[]
    readonly encryption?: readonly WorkerContribution[]
    readonly source?: readonly WorkerContribution[]
    /** Since 1.1. */
    readonly notifier?: readonly NotifierContribution[]
  }
}

/** What a plugin is given when it is activated. It never sees bkp's own objects. */
export interface PluginContext {
  readonly apiVersion: string
  readonly log: Logger
  /** Must be called for exactly the storage ids that the manifest declares. */
  registerStorage(id: string, factory: StorageFactory): void
  /** Must be called for exactly the notifier ids that the manifest declares. Since 1.1. */
  registerNotifier(id: string, factory: NotifierFactory): void
}

const brand = Symbol.for('bkp.Plugin')

/** What the entry of a plugin with a storage or a notifier exports as default. */
export interface Plugin {
  /** Called once, when the first of the plugin's storages or notifiers is needed. */
  activate(context: PluginContext): void | Promise<void>
}

/** Marks the default export of a plugin's entry. Only plugins with a storage or a notifier need an entry. */
export function definePlugin(plugin: Plugin): Plugin {
  return Object.defineProperty({ ...plugin }, brand, { value: true })
}

/** Whether `value` was made by {@link definePlugin}, of this or another copy of plugin-api. */
export function isPlugin(value: unknown): value is Plugin {
  return typeof value === 'object' && value !== null && brand in value
}

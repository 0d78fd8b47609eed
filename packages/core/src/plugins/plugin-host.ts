import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  apiVersion,
  isPlugin,
  type Logger,
  type NotifierFactory,
  type Storage,
  type StorageFactory,
  type StorageRequest,
  type WorkerContribution,
} from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import { schemeOf } from '../config/destination-url.js'
import { faultsBySchema } from '../config/schema-faults.js'
import { BkpError } from '../errors/index.js'
import { type InstalledPlugin, knownPorts, type PluginDirectories, readManifests } from './manifest.js'
import type { Environment } from './plugin-options.js'
import { resolveStorageOptions } from './storage-options.js'

export type WorkerPortName = 'compression' | 'encryption' | 'source'

// A small machine that is busy takes seconds to load a large library.
const activationTimeoutMs = 60_000

/**
 * Finds contributions in manifests and imports a plugin's code only when something of it is needed. A plugin that fails
 * breaks what needs it, under its own name.
 */
export class PluginHost {
  readonly #plugins: readonly InstalledPlugin[]
  readonly #log: Logger
  readonly #environment: Environment
  readonly #activated = new Map<string, Promise<Registered>>()

  private constructor(plugins: readonly InstalledPlugin[], log: Logger, environment: Environment) {
    this.#plugins = plugins
    this.#log = log
    this.#environment = environment
  }

  /**
   * @param environment where options of storages come from that nothing else gives
   * @throws BkpError `plugin-failed` for a bad manifest, or two plugins that claim the same
   */
  static async fromDirectories(
    directories: PluginDirectories,
    log: Logger,
    environment: Environment = {},
  ): Promise<PluginHost> {
    const plugins = await readManifests(directories, (text) => log.warn(text))
    refuseConflicts(plugins)
    return new PluginHost(plugins, log, environment)
  }

  /**
   * The raw storage of a destination; a plain path has the scheme `file`.
   * @param confirm asks the user, where there is one
   * @throws BkpError `missing-plugin`, `plugin-failed`, `usage` for options that are not valid; PortError of the plugin
   */
  async openStorage(
    destination: Destination,
    intent: 'create' | 'open',
    confirm?: StorageRequest['confirm'],
  ): Promise<Storage> {
    const scheme = schemeOf(destination.url)
    for (const plugin of this.#plugins) {
      const contribution = plugin.manifest.contributes.storage?.find(({ schemes }) => schemes.includes(scheme))
      if (contribution === undefined) continue
      const options = await resolveStorageOptions(destination, contribution.configuration, this.#environment)
      const factory = (await this.#activate(plugin)).storage.get(contribution.id) as StorageFactory
      return factory({ ...options, intent, log: this.#log, ...(confirm === undefined ? {} : { confirm }) })
    }
    throw new BkpError('missing-plugin', `No installed plugin can reach ${scheme}: URLs`, {
      hint: `Schemes that are there: ${this.schemes().join(', ')}`,
    })
  }

  schemes(): readonly string[] {
    return this.#plugins.flatMap(({ manifest }) =>
      (manifest.contributes.storage ?? []).flatMap(({ schemes }) => schemes),
    )
  }

  idsOf(port: WorkerPortName): readonly string[] {
    return this.#plugins.flatMap(({ manifest }) => (manifest.contributes[port] ?? []).map(({ id }) => id))
  }

  /** URL of the worker module of a contribution; undefined when no plugin has it. */
  moduleUrl(port: WorkerPortName, id: string): string | undefined {
    const found = this.#find(port, id)
    return found === undefined ? undefined : pathToFileURL(join(found.plugin.directory, found.contribution.module)).href
  }

  /** @throws BkpError `usage` with path and reason of what is wrong */
  async validate(port: WorkerPortName, id: string, configuration: Readonly<Record<string, unknown>>): Promise<void> {
    const schema = this.#find(port, id)?.contribution.configuration
    if (schema === undefined || (Object.keys(configuration).length === 0 && schema.required === undefined)) return
    const faults = await faultsBySchema(schema, configuration)
    if (faults.length === 0) return
    const reasons = faults.map(({ path, message }) => `${path.join('.') || id} ${message}`)
    throw new BkpError('usage', `The configuration of ${id} is not valid: ${reasons.join('; ')}`)
  }

  #find(
    port: WorkerPortName,
    id: string,
  ): { readonly plugin: InstalledPlugin; readonly contribution: WorkerContribution } | undefined {
    for (const plugin of this.#plugins) {
      const contribution = plugin.manifest.contributes[port]?.find((candidate) => candidate.id === id)
      if (contribution !== undefined) return { plugin, contribution }
    }
    return undefined
  }

  #activate(plugin: InstalledPlugin): Promise<Registered> {
    const known = this.#activated.get(plugin.packageName)
    if (known !== undefined) return known
    const activating = activate(plugin, this.#log)
    this.#activated.set(plugin.packageName, activating)
    return activating
  }
}

/** What a plugin has registered, by id. */
interface Registered {
  readonly storage: Map<string, StorageFactory>
  readonly notifier: Map<string, NotifierFactory>
}

async function activate(plugin: InstalledPlugin, log: Logger): Promise<Registered> {
  const { packageName } = plugin
  const declared = (port: keyof Registered) => (plugin.manifest.contributes[port] ?? []).map(({ id }) => id)
  const registered: Registered = { storage: new Map(), notifier: new Map() }
  const register =
    <P extends keyof Registered>(port: P) =>
    (id: string, factory: P extends 'storage' ? StorageFactory : NotifierFactory) => {
      if (!declared(port).includes(id))
        throw new TypeError(`it registers the ${port} "${id}", which its manifest does not declare`)
      ;(registered[port] as Map<string, typeof factory>).set(id, factory)
    }
  const failed = (reason: string, cause?: unknown) =>
    new BkpError('plugin-failed', `The plugin ${packageName} failed: ${reason}`, {
      hint: `Only what needs ${packageName} is affected; report this to its author`,
      ...(cause === undefined ? {} : { cause }),
    })
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(failed(`it did not activate within ${activationTimeoutMs / 1000} s`)),
      activationTimeoutMs,
    )
  })
  const running = async () => {
    const loaded = (await import(pathToFileURL(join(plugin.directory, plugin.main)).href)) as { default?: unknown }
    if (!isPlugin(loaded.default)) throw new TypeError('its default export was not made by definePlugin')
    await loaded.default.activate({
      apiVersion,
      log,
      registerStorage: register('storage'),
      registerNotifier: register('notifier'),
    })
  }
  try {
    await Promise.race([running(), timeout])
  } catch (error) {
    throw error instanceof BkpError ? error : failed(error instanceof Error ? error.message : String(error), error)
  } finally {
    clearTimeout(timer)
  }
  for (const port of ['storage', 'notifier'] as const) {
    const missing = declared(port).find((id) => !registered[port].has(id))
    if (missing !== undefined) throw failed(`it declares the ${port} "${missing}" and does not register it`)
  }
  return registered
}

function refuseConflicts(plugins: readonly InstalledPlugin[]): void {
  const owners = new Map<string, string>()
  const claim = (what: string, packageName: string) => {
    const owner = owners.get(what)
    if (owner !== undefined)
      throw new BkpError('plugin-failed', `Both ${owner} and ${packageName} claim ${what}; uninstall one of them`)
    owners.set(what, packageName)
  }
  for (const { manifest, packageName } of plugins) {
    for (const port of knownPorts)
      for (const { id } of manifest.contributes[port] ?? []) claim(`the ${port} "${id}"`, packageName)
    for (const { schemes } of manifest.contributes.storage ?? [])
      for (const scheme of schemes) claim(`the scheme ${scheme}:`, packageName)
  }
}

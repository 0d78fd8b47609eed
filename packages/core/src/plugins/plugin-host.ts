import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JsonSchema, Logger, Notifier, Secret, Storage, StorageRequest } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import { schemeOf, shownUrl } from '../config/destination-url.js'
import type { NotifierTarget } from '../config/notifier.js'
import { faultsBySchema } from '../config/schema-faults.js'
import { BkpError } from '../errors/index.js'
import { installHint } from '../errors/missing-plugin.js'
import { type OnLogLine, PluginLogs } from '../log/plugin-logs.js'
import { secretsIn } from '../notify/hide-secrets.js'
import { Catalogue, type Found } from './catalogue.js'
import { withinActivation } from './containment/activation-limit.js'
import { type LoopOptions, PluginGuards } from './containment/plugin-guards.js'
import { type InstalledPlugin, type PluginDirectories, readManifests } from './manifest.js'
import { OwnCode, type PluginCode } from './plugin-code.js'
import { type Environment, resolveOptions, takesNothing } from './plugin-options.js'
import { resolveStorageOptions } from './storage-options.js'
import { PluginThreads } from './thread/plugin-threads.js'
import { ThreadedCode } from './thread/threaded-code.js'
import { refuseSecrets } from './worker-options.js'

export type WorkerPortName = 'compression' | 'encryption' | 'source'

interface WorkerModule {
  /** @throws BkpError `plugin-refused` when its files are not what the user approved */
  readonly url: string
  readonly packageName: string
  /** Whose it is, where that did not come with bkp. */
  readonly plugin: { readonly packageName: string; readonly version: string; readonly folderUrl: string } | undefined
}

/**
 * Finds contributions in manifests and imports a plugin's code only when something of it is needed. A plugin that fails
 * breaks what needs it, under its own name.
 */
export class PluginHost {
  readonly #catalogue: Catalogue
  readonly #environment: Environment
  readonly #verified = new Set<InstalledPlugin>()
  readonly #activated = new Map<InstalledPlugin, Promise<PluginCode>>()
  readonly #guards: PluginGuards
  readonly #threads: PluginThreads
  readonly #secrets: Set<Secret>
  /** What core and plugins say. */
  readonly logs: PluginLogs

  private constructor(
    catalogue: Catalogue,
    logs: PluginLogs,
    secrets: Set<Secret>,
    environment: Environment,
    loops: LoopOptions,
  ) {
    this.#guards = new PluginGuards(logs, secrets, loops)
    this.#threads = new PluginThreads(logs, secrets, loops.limitMs)
    this.#catalogue = catalogue
    this.logs = logs
    this.#secrets = secrets
    this.#environment = environment
  }

  /**
   * @param environment where options come from that nothing else gives
   * @param onLogLine is told all that core and plugins log
   * @param loops what becomes of plugins that keep a thread to themselves
   * @throws BkpError `plugin-failed` for a bad manifest of bkp's own; those of installed plugins are warned of
   */
  static async fromDirectories(
    directories: PluginDirectories,
    log: Logger,
    environment: Environment = {},
    onLogLine?: OnLogLine,
    loops: LoopOptions = {},
  ): Promise<PluginHost> {
    const secrets = new Set<Secret>()
    const logs = new PluginLogs(log, secrets, onLogLine)
    const read = await readManifests(directories, (text) => logs.core.warn(text))
    return new PluginHost(new Catalogue(read, logs.core), logs, secrets, environment, loops)
  }

  /** Secrets that plugins were given: they may stand in what these say. */
  get secrets(): ReadonlySet<Secret> {
    return this.#secrets
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
    if (destination.unusable !== undefined) throw destination.unusable
    const scheme = schemeOf(destination.url)
    const found = this.#catalogue.findScheme(scheme)
    if (found === undefined) {
      throw new BkpError('missing-plugin', `No installed plugin can reach ${scheme}: URLs`, {
        hint: `${installHint('storage', scheme)}. Schemes that are there: ${this.schemes().join(', ')}`,
      })
    }
    const { plugin, contribution } = found
    const options = await resolveStorageOptions(destination, contribution.configuration, this.#environment)
    this.#note(options.configuration)
    const code = await this.#activate(plugin)
    const { packageName } = plugin
    this.logs.core.debug(`${shownUrl(destination.name)}: the storage ${contribution.id} of ${packageName}`, { intent })
    const request = {
      ...options,
      intent,
      log: this.logs.of(packageName),
      ...(confirm === undefined ? {} : { confirm }),
    }
    return code.openStorage(contribution.id, request)
  }

  /**
   * The raw notifier of the configuration.
   * @throws BkpError `missing-plugin`, `plugin-failed`, `usage` for options that are not valid; PortError of the plugin
   */
  async openNotifier({ name, use, options }: NotifierTarget): Promise<Notifier> {
    const found = this.#catalogue.find('notifier', use)
    if (found === undefined) {
      throw new BkpError('missing-plugin', `No installed plugin has the notifier "${use}"`, {
        hint: `${installHint('notifier', use)}. Notifiers that are there: ${this.#catalogue.idsOf('notifier').join(', ') || 'none'}`,
      })
    }
    const { plugin, contribution } = found
    const given = {
      owner: `Notifier ${name}`,
      hint: 'Its options stand in the configuration: bkp config edit',
      options,
    }
    const configuration = await resolveOptions(given, contribution.configuration ?? takesNothing, this.#environment)
    this.#note(configuration)
    const code = await this.#activate(plugin)
    return code.openNotifier(contribution.id, { configuration, log: this.logs.of(plugin.packageName) })
  }

  schemes(): readonly string[] {
    return this.#catalogue.schemes()
  }

  idsOf(port: WorkerPortName | 'notifier'): readonly string[] {
    return this.#catalogue.idsOf(port)
  }

  /**
   * The worker module of a contribution; undefined when no plugin has it.
   * @throws BkpError `plugin-failed` when several plugins claim it, or the one that does cannot be used
   */
  workerModule(port: WorkerPortName, id: string): WorkerModule | undefined {
    const found: Found<WorkerPortName> | undefined = this.#catalogue.find(port, id)
    if (found === undefined) return undefined
    const { directory, isBundled, packageName, version } = found.plugin
    const url = pathToFileURL(join(directory, found.contribution.module)).href
    if (isBundled) return { url, packageName, plugin: undefined }
    const verify = () => this.#verify(found.plugin)
    return {
      // Whoever is going to import it asks for it: so there is no way around the verification.
      get url() {
        verify()
        return url
      },
      packageName,
      plugin: { packageName, version, folderUrl: `${pathToFileURL(directory).href}/` },
    }
  }

  /**
   * Runs code of a worker module in the main thread, for the small objects that are read there. A promise has to settle in
   * the time that an activation has.
   * @throws BkpError `plugin-failed` with the name of the plugin; PortError of the plugin
   */
  contain<T>(packageName: string, action: () => T): T {
    const plugin = this.#catalogue.plugins.find((one) => one.packageName === packageName)
    const guard = plugin === undefined ? undefined : this.#guards.of(plugin)
    if (guard === undefined) return action()
    const result = guard.call(action)
    return result instanceof Promise ? (withinActivation(packageName, 'load', result) as T) : result
  }

  /** @throws BkpError `missing-plugin`; `usage` with path and reason of what is wrong with the configuration */
  async validate(port: WorkerPortName, id: string, configuration: Readonly<Record<string, unknown>>): Promise<void> {
    const found: Found<WorkerPortName> | undefined = this.#catalogue.find(port, id)
    if (found === undefined) {
      throw new BkpError('missing-plugin', `No installed plugin has the ${port} "${id}"`, {
        hint: `There are ${this.idsOf(port).join(', ')}; check the spelling, or install a plugin that has it`,
      })
    }
    const schema: JsonSchema | undefined = found.contribution.configuration
    if (schema === undefined || (Object.keys(configuration).length === 0 && schema.required === undefined)) return
    refuseSecrets(schema, configuration, { owner: `the ${port} "${id}"`, packageName: found.plugin.packageName })
    const faults = await faultsBySchema(schema, configuration)
    if (faults.length === 0) return
    const reasons = faults.map(({ path, message }) => `${path.join('.') || id} ${message}`)
    throw new BkpError('usage', `The configuration of ${id} is not valid: ${reasons.join('; ')}`)
  }

  #note(configuration: Readonly<Record<string, unknown>>): void {
    for (const secret of secretsIn(configuration)) this.#secrets.add(secret)
  }

  /** Every file of an installed plugin, once for each process. @throws BkpError `plugin-refused` */
  #verify(plugin: InstalledPlugin): void {
    if (this.#verified.has(plugin)) return
    plugin.verify?.()
    this.#verified.add(plugin)
  }

  async #activate(plugin: InstalledPlugin): Promise<PluginCode> {
    const known = this.#activated.get(plugin)
    if (known !== undefined) return known
    this.#verify(plugin)
    const started = performance.now()
    const activating = plugin.isBundled
      ? OwnCode.activate(plugin, this.logs.of(plugin.packageName))
      : ThreadedCode.activate(this.#threads.start(plugin))
    this.#activated.set(plugin, activating)
    const code = await activating
    const took = `${(performance.now() - started).toFixed(1)} ms`
    this.logs.core.debug(`${plugin.packageName} ${plugin.version} was activated in ${took}`)
    return code
  }

  /** Ends the threads of plugins. */
  close(): Promise<void> {
    return this.#threads.close()
  }
}

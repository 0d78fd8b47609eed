import { availableParallelism } from 'node:os'
import type { Logger, Secret } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import type { Destination } from '../config/destination.js'
import { shownUrl } from '../config/destination-url.js'
import type { NotifierTarget } from '../config/notifier.js'
import { BkpError } from '../errors/index.js'
import { hideSecrets } from '../notify/hide-secrets.js'
import { NotifierGroup } from '../notify/notifier-group.js'
import { keepObjects } from '../repository/cached-objects.js'
import { Codecs } from '../repository/codecs.js'
import { KeySlots } from '../repository/key-slots.js'
import { RecordedPlugins } from '../repository/recorded-plugins.js'
import { RememberedSlot } from '../repository/remembered-slot.js'
import { hasStuckThreads } from '../stuck-threads.js'
import type {
  CreateRepositoryResult,
  DoctorFinding,
  Engine,
  EngineOptions,
  MigrateOptions,
  MigrationResult,
  Notifiers,
  OpenOptions,
  ProbeResult,
  Repository,
  RunOptions,
  SyncOptions,
  SyncResult,
  Unlock,
} from './api.js'
import { OperationContext } from './context.js'
import { openToTry } from './destinations/open-to-try.js'
import { Probe } from './destinations/probe.js'
import { examine } from './examine.js'
import { describeCodecs, type PluginAccess } from './plugin-access.js'
import { createReplicas } from './replicas/create-replicas.js'
import { FallOverLog } from './replicas/fall-over-log.js'
import { migrate } from './replicas/migrate.js'
import { type OpenedReplicas, openReplicas, unlockReplicas } from './replicas/open-replicas.js'
import { syncReplicas } from './replicas/sync-replicas.js'
import { EngineRepository } from './repository.js'
import { Clock, EngineSettings, Log, Plugins, RandomBytes } from './tokens.js'
import { defaultCallLimitMs } from './worker/call-watch.js'
import { ThreadReserve } from './worker/threads.js'

const mostThreads = 8

/** The engine that stands on installed plugins. */
@injectable()
export class PluginEngine implements Engine {
  readonly #settings: EngineOptions
  readonly #plugins: PluginAccess
  readonly #clock: Clock
  readonly #randomBytes: RandomBytes
  readonly #log: Logger

  constructor(
    @inject(EngineSettings) settings: EngineOptions,
    @inject(Plugins) plugins: PluginAccess,
    @inject(Clock) clock: Clock,
    @inject(RandomBytes) randomBytes: RandomBytes,
    @inject(Log) log: Logger,
  ) {
    this.#settings = settings
    this.#plugins = plugins
    this.#clock = clock
    this.#randomBytes = randomBytes
    this.#log = log
  }

  async createRepository(destinations: readonly Destination[], passphrase: Secret): Promise<CreateRepositoryResult> {
    if (passphrase.reveal() === '') throw new BkpError('usage', 'The passphrase must not be empty')
    const now = () => new Date(this.#clock())
    const remember = (url: string, slot: Uint8Array) =>
      this.#rememberedSlot(url, this.#settings.cacheDirectory).keep(slot)
    return createReplicas(this.#plugins, destinations, passphrase, { now, randomBytes: this.#randomBytes, remember })
  }

  async openRepository(
    destinations: readonly Destination[],
    unlock: Unlock,
    options: OpenOptions = {},
  ): Promise<Repository> {
    const threads = this.#settings.workers ?? Math.min(mostThreads, availableParallelism())
    const reserve = this.#startThreads(threads, options)
    const cacheDirectory = options.useCache === false ? undefined : this.#settings.cacheDirectory
    const remembered = this.#rememberedSlot(destinations[0]?.url ?? '', cacheDirectory)
    const slots = new KeySlots(unlock, remembered)
    let opened: OpenedReplicas | undefined
    try {
      opened = await openReplicas(this.#plugins, destinations, { slots })
      const fallOvers = new FallOverLog(this.#log)
      const { spool, stateDirectory } = this.#settings
      const [{ slot, ...unlocked }, codecs] = await Promise.all([
        unlockReplicas(opened, slots, fallOvers.note),
        Codecs.load(describeCodecs(this.#plugins, ['none']), this.#plugins.contain),
      ])
      if (!unlocked.repository.storage.capabilities.isLocal) await remembered.keep(slot)
      const repository = keepObjects(unlocked.repository, cacheDirectory, this.#clock)
      const context = new OperationContext({
        ...unlocked,
        repository,
        fallOvers,
        spool,
        stateDirectory,
        cacheDirectory,
        plugins: this.#plugins,
        threads,
        reserve,
        callLimitMs: this.#settings.pluginCallMs ?? defaultCallLimitMs,
        codecs,
        recorded: RecordedPlugins.of(repository, codecs),
        now: this.#clock,
      })
      if (options.loadIndex) context.loadIndexAhead(options.signal)
      return new EngineRepository(context)
    } catch (error) {
      await reserve.close()
      await Promise.all((opened?.replicas ?? []).map(({ storage }) => storage.close()))
      throw error
    }
  }

  sync(options: SyncOptions): Promise<SyncResult> {
    const { note } = new FallOverLog(this.#log)
    return syncReplicas(options, { plugins: this.#plugins, now: this.#clock, onFellOver: note })
  }

  async probe(destination: Destination, { signal }: RunOptions = {}): Promise<ProbeResult> {
    const storage = await openToTry(this.#plugins, destination)
    try {
      return await new Probe(storage, this.#clock, signal).run()
    } finally {
      await storage.close()
    }
  }

  migrate(options: MigrateOptions): Promise<MigrationResult> {
    return migrate(options, this.#plugins, this.#clock)
  }

  async availableCompression(preferred: readonly string[]): Promise<string> {
    const codecs = await Codecs.load(describeCodecs(this.#plugins, preferred), this.#plugins.contain)
    for (const [number, id] of preferred.entries()) {
      try {
        codecs.compressor(number)
        return id
      } catch (error) {
        if (!(error instanceof BkpError)) throw error
      }
    }
    return 'none'
  }

  doctor(): Promise<readonly DoctorFinding[]> {
    return examine(this.#plugins)
  }

  /** Repositories are closed before, by whoever opened them. */
  close(): Promise<void> {
    return this.#plugins.close()
  }

  #rememberedSlot(url: string, cacheDirectory: string | undefined): RememberedSlot {
    return new RememberedSlot(shownUrl(url), cacheDirectory, this.#clock)
  }

  /** What nearly every run loads in its threads. */
  #startThreads(threads: number, { startThreads, readAhead }: OpenOptions): ThreadReserve {
    const module = readAhead === undefined ? undefined : this.#plugins.workerModule('source', readAhead.source.id)
    // Code of a stranger runs only in threads that are known to be its.
    const url = module?.plugin === undefined ? module?.url : undefined
    const order =
      readAhead === undefined || url === undefined
        ? undefined
        : { ...readAhead, url, configuration: readAhead.source.configuration }
    // A backup begins with one thread; the others come when there is more to do than it can.
    const atOnce = readAhead === undefined ? threads : 1
    const idle = startThreads ? (this.#settings.takeIdleThreads?.() ?? []) : []
    return new ThreadReserve(idle, startThreads ? atOnce : 0, this.#likelyModules(), this.#clock(), order)
  }

  #likelyModules(): readonly string[] {
    const codecs = (['encryption', 'compression'] as const).flatMap((port) =>
      this.#plugins.idsOf(port).map((id) => this.#plugins.workerModule(port, id)),
    )
    // Of what did not come with bkp nothing runs before it is needed.
    return [this.#plugins.workerModule('source', 'fs'), ...codecs].flatMap((module) =>
      module === undefined || module.plugin !== undefined ? [] : [module.url],
    )
  }

  notifiers(targets: readonly NotifierTarget[]): Notifiers {
    return new NotifierGroup(targets, {
      open: (target) => this.#plugins.openNotifier(target),
      secrets: () => this.#plugins.secrets(),
      log: this.#log,
    })
  }

  foreignPlugins(): readonly string[] {
    return this.#plugins.foreignPlugins()
  }

  hasStuckThreads(): boolean {
    return hasStuckThreads()
  }

  hideSecrets<T>(value: T): T {
    return hideSecrets(value, this.#plugins.secrets())
  }
}

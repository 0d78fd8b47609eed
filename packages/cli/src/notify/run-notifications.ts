import { hostname } from 'node:os'
import type { Notifiers } from '@bkp/core'
import type { NotifierConfig } from '@bkp/core/config'
import type { Logger, NotificationKind } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { EngineSession } from '../composition/engine-session.js'
import { Log } from '../composition/tokens.js'
import { ConfigFile, type LoadedConfig } from '../config/config-file.js'
import { exitCode } from '../errors/exit-codes.js'
import { NotifierTargets } from './notifier-targets.js'
import { summaryOf } from './summary.js'

/** What a run is, for whoever is told of it. */
export interface RunFacts {
  /** As it is typed, e.g. `backup`. */
  readonly command: string
  readonly job?: string | undefined
  /** Notifiers that the job names. */
  readonly notify?: readonly string[] | undefined
  readonly config?: string | undefined
  /** In milliseconds since 1970. */
  readonly startedAt: number
}

export interface RunEnd {
  readonly exitCode: number
  /** The document that `--json` prints. */
  readonly report: Readonly<Record<string, unknown>> | undefined
  /** For people. */
  readonly lines: readonly string[]
  readonly endedAt: number
  /** Whether somebody who interrupted the run waits for its end. */
  readonly wasInterrupted: boolean
}

/**
 * Tells the notifiers of the configuration of one run, where the run uses the configuration at all. Whatever goes wrong is a
 * warning: the run ends as it would have without.
 */
@injectable()
export class RunNotifications {
  readonly #config: ConfigFile
  readonly #targets: NotifierTargets
  readonly #session: EngineSession
  readonly #log: Logger
  #begun: { readonly facts: RunFacts; readonly notifiers: Notifiers } | 'nobody' | undefined

  constructor(
    @inject(ConfigFile) config: ConfigFile,
    @inject(NotifierTargets) targets: NotifierTargets,
    @inject(EngineSession) session: EngineSession,
    @inject(Log) log: Logger,
  ) {
    this.#config = config
    this.#targets = targets
    this.#session = session
    this.#log = log
  }

  /** Says that the run has started; waits for nobody to hear it. Called again, it does nothing. */
  async begin(facts: RunFacts): Promise<void> {
    if (this.#begun !== undefined) return
    await this.#find(facts)
    void this.#tell('started')
  }

  /** Says how the run ended; also one that failed before it began. */
  async end(facts: RunFacts, end: RunEnd): Promise<void> {
    if (this.#begun === undefined) await this.#find(facts)
    if (this.#begun === undefined || this.#begun === 'nobody') return
    await this.#tell(kindOf(end.exitCode), end)
    await this.#begun.notifiers.close()
  }

  async #find(facts: RunFacts): Promise<void> {
    this.#begun = 'nobody'
    try {
      const loaded = await this.#loaded(facts)
      const wanted = Object.entries(loaded?.config.notifiers ?? {}).filter(
        ([name]) => facts.notify?.includes(name) ?? true,
      )
      if (loaded === undefined || wanted.length === 0) return
      const targets = await this.#targets.resolve(wanted as readonly [string, NotifierConfig][], loaded)
      if (targets.length === 0) return
      const engine = await this.#session.engine()
      this.#begun = { facts, notifiers: engine.notifiers(targets) }
    } catch (error) {
      this.#log.warn(`Nobody is told of this run: ${(error as Error).message}`)
    }
  }

  /** The configuration that the run has read, or that its command line names. */
  async #loaded({ config }: RunFacts): Promise<LoadedConfig | undefined> {
    if (this.#config.loaded !== undefined || this.#config.isFaulty) return this.#config.loaded
    // BKP_CONFIG alone is no reason to read it: a run between folders and URLs begins sooner without.
    return config === undefined ? undefined : this.#config.load(config)
  }

  async #tell(kind: NotificationKind, end?: RunEnd): Promise<void> {
    if (this.#begun === undefined || this.#begun === 'nobody') return
    const { facts, notifiers } = this.#begun
    const { command, job, startedAt } = facts
    const notification = {
      kind,
      command,
      ...(job === undefined ? {} : { job }),
      host: hostname(),
      startedAt: new Date(startedAt).toISOString(),
      summary: end === undefined ? 'The run has started' : summaryOf(end.lines, end.report),
      ...(end === undefined ? {} : { finishedAt: new Date(end.endedAt).toISOString(), exitCode: end.exitCode }),
      ...(end?.report === undefined ? {} : { report: end.report }),
    }
    try {
      await notifiers.tell(notification, end?.wasInterrupted ? { patience: 'none' } : {})
    } catch (error) {
      this.#log.warn(`Nobody was told of "${kind}": ${(error as Error).message}`)
    }
  }
}

const degraded: readonly number[] = [exitCode.incomplete, exitCode.notEverywhere]

function kindOf(code: number): NotificationKind {
  if (code === exitCode.success) return 'finished'
  return degraded.includes(code) ? 'degraded' : 'failed'
}

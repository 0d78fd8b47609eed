import { join } from 'node:path'
import type { OpenOptions, Repository } from '@bkp/core'
import { Command, Flags, type Interfaces } from '@oclif/core'
import pc from 'picocolors'
import { type CommandLog, createCommandLog } from './composition/command-log.js'
import { endWithoutWaiting } from './composition/left-open.js'
import { type ProcessParts, processParts } from './composition/process-parts.js'
import type { CommandScope } from './composition/scopes.js'
import { type Output, OutputClosed, type Terminal } from './composition/terminal.js'
import type { FoundJob } from './config/jobs.js'
import { type DescribedError, describeError } from './errors/describe-error.js'
import { errorDocument, printError, printErrorAtOnce, traceOf, wantsJson } from './errors/print-error.js'
import { sameFrom } from './flags/place-names.js'
import type { PlaceFlags, Places } from './flags/places.js'
import type { RunFacts } from './notify/run-notifications.js'
import { createProgress, type Progress, type ProgressMode } from './output/progress.js'
import { safe } from './output/text.js'
import type { PluginManager } from './plugins/plugin-manager.js'
import type { UnlockFlags } from './secrets/secret-reader.js'

/** As oclif's parser gives flags and arguments. */
type Parsed = { [name: string]: unknown }

/** What all commands share: output, JSON, errors, interruption, the engine. */
export abstract class BaseCommand extends Command {
  static override baseFlags = {
    json: Flags.boolean({
      default: false,
      description: 'print JSON: one document, or lines where many entries are listed',
      helpGroup: 'GLOBAL',
    }),
  }

  readonly #abort = new AbortController()
  readonly #parts = processParts()
  #interruptedBy: string | undefined
  #stopListening: (() => void) | undefined
  #scope: CommandScope | undefined
  #progress: Progress | undefined
  #startedAt = 0
  #failure: DescribedError | undefined
  #result: { readonly json: object; readonly lines: readonly string[] } | undefined
  #job: Pick<FoundJob, 'jobName' | 'notify'> | undefined
  #configFlag: string | undefined
  #fromHint: string | undefined

  /** Aborted by Ctrl-C; a second Ctrl-C ends the process at once. */
  protected get signal(): AbortSignal {
    return this.#abort.signal
  }

  protected get terminal(): Terminal {
    return this.#parts.terminal
  }

  override async init(): Promise<void> {
    await super.init()
    this.#startedAt = this.#parts.now()
    this.#stopListening = this.terminal.onInterrupt((signal) => {
      this.#interruptedBy = signal
      this.#abort.abort(new Error(`Interrupted by ${signal}`))
    })
  }

  protected override async parse<F extends Parsed, B extends Parsed, A extends Parsed>(
    options?: Interfaces.Input<F, B, A>,
    argv?: string[],
  ): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse(options, argv)
    const { config } = parsed.flags as { readonly config?: string }
    this.#configFlag = config
    return parsed
  }

  /** Secrets and engine; loaded when a command needs them. */
  protected async scope(): Promise<CommandScope> {
    if (this.#scope === undefined) {
      const { createCommandScope } = await import('./composition/scopes.js')
      const log = { ...this.commandLog, onPluginHeld: (error: Error) => this.#endAtOnce(error) }
      this.#scope = createCommandScope(this.#parts, log, this.signal)
    }
    return this.#scope
  }

  /** Warnings for people, and what else is logged where `DEBUG` asks for it. */
  protected get commandLog(): CommandLog {
    const warn = (message: string) => this.warnPeople(message)
    return createCommandLog(this.terminal, warn, () => this.#progress)
  }

  /** JSON Schema of the configuration, for editors. */
  protected get schemaPath(): string {
    return join(this.config.root, 'dist', 'config.schema.json')
  }

  /** Ways to ask, where `terminal.canAsk`. */
  protected get questions(): Pick<ProcessParts, 'askText' | 'askSecret' | 'confirm' | 'editFile'> {
    return this.#parts
  }

  /** Installs plugins and keeps what was approved. */
  protected pluginManager(): Promise<PluginManager> {
    return this.#parts.createPluginManager()
  }

  protected get now(): () => number {
    return this.#parts.now
  }

  /** Where the repository is that the flags, the environment or the configuration name. */
  protected async places(flags: PlaceFlags, jobRepository?: string): Promise<Places> {
    const flag = Object.hasOwn(this.ctor.flags, 'from') ? '--from' : '--to'
    const { places, notifications } = await this.scope()
    const found = await places.resolve(flags, { jobRepository, flag })
    if (this.#isToldOf) await notifications.begin(this.#facts)
    this.#fromHint ??= sameFrom(flags, found)
    return found
  }

  /** Flags that name the places that were named first, as places to read from, for a command to type next. */
  protected get fromHint(): string {
    return this.#fromHint ?? '--from PLACE'
  }

  /** Whether notifiers are told how it ends. */
  protected get isRun(): boolean {
    return false
  }

  /** That what follows is a run of a job. */
  protected noteJob(job: FoundJob): void {
    this.#job = job
  }

  // What only looks changes nothing that anybody would have to be told of.
  get #isToldOf(): boolean {
    return this.isRun && !this.argv.includes('--dry-run')
  }

  get #facts(): RunFacts {
    const { jobName, notify } = this.#job ?? {}
    const command = (this.id ?? '').replaceAll(':', ' ')
    return { command, job: jobName, notify, config: this.#configFlag, startedAt: this.#startedAt }
  }

  /** @param places when they are known already */
  protected async openRepository(
    flags: PlaceFlags & UnlockFlags,
    options: OpenOptions = {},
    places?: Places,
  ): Promise<Repository> {
    const { secrets, session } = await this.scope()
    const { destinations, password } = places ?? (await this.places(flags))
    return session.openRepository(destinations, await secrets.readUnlock(flags, password), options)
  }

  /** As above, for commands that only read: what is newest may lie where nobody could look. */
  protected async openToRead(
    flags: PlaceFlags & UnlockFlags,
    options: OpenOptions = {},
    places?: Places,
  ): Promise<Repository> {
    const repository = await this.openRepository(flags, { ...options, signal: this.signal }, places)
    for (const { name, message } of repository.absent) this.warnPeople(`${name} is not read from: ${message}`)
    return repository
  }

  /** @param unit what is counted, for people */
  protected async startProgress(flags: { json: boolean; progress?: boolean }, unit = 'file'): Promise<Progress> {
    this.#progress = await createProgress(this.terminal, progressMode(flags), unit, this.#parts.now)
    return this.#progress
  }

  /** The progress of the run that goes on, if one is shown. */
  protected get progress(): Progress | undefined {
    return this.#progress
  }

  /** Asks a question that is answered by yes or no; only where there is somebody to ask. */
  protected confirm(question: string): Promise<boolean> {
    return this.#parts.confirm(question)
  }

  protected stopProgress(): void {
    this.#progress?.stop()
    this.#progress = undefined
  }

  protected print(line = ''): Promise<void> {
    return this.terminal.stdout.write(`${line}\n`)
  }

  protected printJson(document: object): Promise<void> {
    return this.print(JSON.stringify({ version: 1, ...document }))
  }

  /** Ends a run: prints its result, and keeps it for those who are told of it. */
  protected async tellResult(flags: { readonly json: boolean }, json: object, lines: readonly string[]): Promise<void> {
    this.#result = { json, lines }
    if (flags.json) await this.printJson(json)
    else if (lines.length > 0) await this.print(lines.join('\n'))
  }

  protected warnPeople(message: string): void {
    const line = `${this.colours('stderr').yellow('Warning:')} ${safe(message)}`
    if (this.#progress !== undefined) this.#progress.say(line)
    // Losing a warning because nobody reads is no reason to fail.
    else this.terminal.stderr.write(`${line}\n`).catch(() => undefined)
  }

  protected colours(where: 'stdout' | 'stderr'): ReturnType<typeof pc.createColors> {
    return pc.createColors(this.terminal[where].hasColours)
  }

  override async catch(error: Error & { oclif?: { exit?: number } }): Promise<void> {
    this.stopProgress()
    // Help and version end that way.
    if (error.oclif?.exit === 0) throw error
    if (error instanceof OutputClosed) return
    await this.#tellError(error)
  }

  override async finally(error: Error | undefined): Promise<void> {
    this.stopProgress()
    try {
      await this.#scope?.session.close()
    } catch (closing) {
      // The first error is the one that explains; a second one while cleaning up follows from it.
      if (error === undefined) await this.#tellError(closing)
    } finally {
      if (this.#isToldOf && (error as { oclif?: { exit?: number } } | undefined)?.oclif?.exit !== 0)
        await this.#notify()
      await this.#scope?.session.end()
      this.#stopListening?.()
    }
    await super.finally(error)
  }

  /** Where `--json` puts errors; a command whose standard output is data says standard error. */
  protected get errorOutput(): Output {
    return this.terminal.stdout
  }

  /** After all is printed: nobody waits for a notifier to see how the run ended. */
  async #notify(): Promise<void> {
    const { notifications } = await this.scope()
    const json = this.#failure === undefined ? this.#result?.json : undefined
    const { message, hint } = this.#failure ?? {}
    await notifications.end(this.#facts, {
      exitCode: this.terminal.exitCode ?? 0,
      report: this.#failure === undefined ? json && { version: 1, ...json } : errorDocument(this.#failure),
      lines: message === undefined ? (this.#result?.lines ?? []) : [message, ...(hint === undefined ? [] : [hint])],
      endedAt: this.#parts.now(),
      wasInterrupted: this.#interruptedBy !== undefined,
    })
  }

  /** As if killed, but with what there is to say. Nothing asynchronous would ever come to its end. */
  #endAtOnce(error: Error): void {
    this.stopProgress()
    const described = describeError(error, this.id ?? '')
    const { stdout, stderr } = process
    const json = this.errorOutput === this.terminal.stdout ? stdout.fd : stderr.fd
    printErrorAtOnce(described, wantsJson(this.argv) ? json : undefined)
    endWithoutWaiting(described.exitCode)
  }

  async #tellError(error: unknown): Promise<void> {
    const hide = async <T>(value: T): Promise<T> => (await this.#scope?.session.hideSecrets(value)) ?? value
    const described = await hide(describeError(error, this.id ?? '', this.#interruptedBy, this.#fromHint))
    this.terminal.exitCode = described.exitCode
    this.#failure = described
    const isJson = wantsJson(this.argv)
    await printError(this.terminal, described, await hide(traceOf(error)), isJson ? this.errorOutput : undefined)
  }
}

function progressMode({ json, progress }: { json: boolean; progress?: boolean }): ProgressMode {
  if (json) return progress === true ? 'json' : 'silent'
  return progress === false ? 'none' : 'people'
}

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { JobConfig } from '@bkp/core/config'
import type { Logger } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { Log, Machine } from '../composition/tokens.js'
import { CliError, UsageError } from '../errors/cli-error.js'
import { misspelt } from '../flags/place-names.js'
import { ConfigFile, type LoadedConfig } from './config-file.js'
import { pathInConfig } from './config-path.js'

export interface FoundJob extends JobConfig {
  /** How the configuration calls it. */
  readonly jobName: string
}

export interface JobFlags {
  readonly job?: string | undefined
  readonly config?: string | undefined
  readonly 'from-command'?: string | undefined
  readonly source?: string | undefined
}

/** Finds the job that a command line of `backup` names. */
@injectable()
export class Jobs {
  readonly #config: ConfigFile
  readonly #machine: Machine
  readonly #log: Logger

  constructor(@inject(ConfigFile) config: ConfigFile, @inject(Machine) machine: Machine, @inject(Log) log: Logger) {
    this.#config = config
    this.#machine = machine
    this.#log = log
  }

  /**
   * The job of `--job NAME`, or of the only argument where it is no path, with its paths made absolute.
   * @returns undefined when paths are meant
   * @throws UsageError when there is no job of that name, or it counts on what bkp does not do
   */
  async find(paths: readonly string[], flags: JobFlags): Promise<FoundJob | undefined> {
    const { job: named } = flags
    if (named === undefined) return this.#byArgument(paths, flags)
    if (paths.length > 0 || flags['from-command'] !== undefined)
      throw new UsageError('--job and what to back up were both given', 'Leave out one of them')
    const loaded = await this.#config.require(flags.config)
    const job = loaded.config.jobs[named]
    if (job !== undefined) return this.#found(named, job, loaded)
    const known = Object.keys(loaded.config.jobs)
    const { unknownText } = await import('@bkp/core/config')
    throw new UsageError(`The job "${named}" ${unknownText(named, known)}`, `Jobs stand in ${loaded.path}`)
  }

  async #byArgument(paths: readonly string[], flags: JobFlags): Promise<FoundJob | undefined> {
    const [name, second] = paths
    if (name === undefined || second !== undefined || !/^[A-Za-z0-9][\w.-]*$/.test(name)) return undefined
    const loaded = await this.#config.load(flags.config)
    const job = loaded?.config.jobs[name]
    if (loaded === undefined) return undefined
    if (job === undefined) {
      // What a source has under that name only the source knows.
      const isPath = flags['from-command'] === undefined && flags.source === undefined
      if (isPath) await refuseMisspelt(name, Object.keys(loaded.config.jobs))
      return undefined
    }
    if (!existsSync(name)) return this.#found(name, job, loaded)
    this.#log.warn(`"${name}" is taken for the path that is here; the job of that name runs by --job ${name}`)
    return undefined
  }

  async #found(jobName: string, job: JobConfig, loaded: LoadedConfig): Promise<FoundJob> {
    const { path, warnings } = loaded
    const { hasHooks } = await import('@bkp/core/config')
    // What a hook was to dump or to freeze would not be in the snapshot, and nobody would know.
    if (hasHooks(job))
      throw new UsageError(
        `The job "${jobName}" has hooks, and bkp does not run them yet: what they are for would not be done`,
        `Take them out of ${path}, and run their commands around bkp, e.g. in a script`,
      )
    const prefix = `jobs.${jobName}.`
    for (const { line, path: key, message } of warnings)
      if (key.startsWith(prefix) && !key.slice(prefix.length).includes('.'))
        this.#log.warn(`${path}:${line}: ${key} ${message}`)
    return this.#absolute(jobName, job, loaded)
  }

  #absolute(jobName: string, job: JobConfig, { path }: LoadedConfig): FoundJob {
    const absolute = (given: string) => pathInConfig(given, path, this.#machine.home)
    return {
      ...job,
      jobName,
      paths: job.source === undefined ? job.paths.map(absolute) : job.paths,
      excludeFiles: job.excludeFiles.map(absolute),
    }
  }
}

// Else it would only be said that there is no such path.
async function refuseMisspelt(name: string, jobs: readonly string[]): Promise<void> {
  const meant = await misspelt(name, jobs)
  if (meant === undefined) return
  // As of every path that is not there.
  throw new CliError(
    'source-unreadable',
    `There is neither a file or folder ${resolve(name)} nor a job "${name}" in the configuration`,
    `Did you mean the job ${meant}? A path is written ./${name}`,
  )
}

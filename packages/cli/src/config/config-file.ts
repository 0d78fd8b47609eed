import { existsSync } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import type { NotifierDescription, ParsedConfig, StorageDescription } from '@bkp/core/config'
import type { Logger } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { DescribeNotifiers, DescribeStorages, Log, Machine } from '../composition/tokens.js'
import { CliError, UsageError } from '../errors/cli-error.js'
import type { Machine as MachineType } from './config-path.js'
import { type ConfigPath, configPath } from './config-path.js'

export interface LoadedConfig extends ParsedConfig {
  readonly path: string
  readonly text: string
  readonly storages: readonly StorageDescription[]
  readonly notifiers: readonly NotifierDescription[]
}

/** The configuration file of one command. The library that reads it is loaded only where there is a file. */
@injectable()
export class ConfigFile {
  readonly #machine: MachineType
  readonly #describeStorages: DescribeStorages
  readonly #describeNotifiers: DescribeNotifiers
  readonly #log: Logger
  readonly #warned = new Set<string>()
  #loaded: LoadedConfig | 'faulty' | undefined

  constructor(
    @inject(Machine) machine: MachineType,
    @inject(DescribeStorages) describe: DescribeStorages,
    @inject(DescribeNotifiers) describeNotifiers: DescribeNotifiers,
    @inject(Log) log: Logger,
  ) {
    this.#describeNotifiers = describeNotifiers
    this.#machine = machine
    this.#describeStorages = describe
    this.#log = log
  }

  /** What was loaded last; undefined where nothing was, or it could not be used. */
  get loaded(): LoadedConfig | undefined {
    return this.#loaded === 'faulty' ? undefined : this.#loaded
  }

  /** Whether it was looked at and cannot be used. */
  get isFaulty(): boolean {
    return this.#loaded === 'faulty'
  }

  locate(flag: string | undefined): ConfigPath {
    return configPath(this.#machine, flag)
  }

  /** Its text; undefined where there is none. @throws UsageError when it was named and is not there */
  async read(flag: string | undefined): Promise<string | undefined> {
    const { path, isNamed } = this.locate(flag)
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const isAbsent = code === 'ENOENT' || code === 'ENOTDIR'
      if (isAbsent && !isNamed) return undefined
      if (isAbsent) throw new UsageError(`There is no configuration file ${path}`, 'Check --config or BKP_CONFIG')
      throw new UsageError(`The configuration cannot be read: ${message}`, 'Check who may read it')
    }
  }

  /** Its text, where it may be made: undefined where there is none, also when it was named. */
  async readIfThere(flag: string | undefined): Promise<string | undefined> {
    return existsSync(this.locate(flag).path) ? this.read(flag) : undefined
  }

  /** @throws ConfigError; UsageError when it was named and is not there */
  async load(flag: string | undefined): Promise<LoadedConfig | undefined> {
    this.#loaded = 'faulty'
    const text = await this.read(flag)
    const loaded = text === undefined ? undefined : await this.check(text, this.locate(flag).path)
    this.#loaded = loaded
    return loaded
  }

  /** As `load`, where the command makes no sense without one. */
  async require(flag: string | undefined): Promise<LoadedConfig> {
    const loaded = await this.load(flag)
    if (loaded !== undefined) return loaded
    const hint = 'Begin one: bkp destinations add NAME URL, or bkp config edit'
    throw new UsageError(`There is no configuration file ${this.locate(flag).path}`, hint)
  }

  /** @param path in messages @throws ConfigError */
  async check(text: string, path: string): Promise<LoadedConfig> {
    const { parseConfig } = await import('@bkp/core/config')
    const [storages, notifiers] = await Promise.all([this.#describeStorages(), this.#describeNotifiers()])
    return { ...(await parseConfig(text, storages, path, notifiers)), path, text, storages, notifiers }
  }

  /** Tells of secrets in the file itself, of what is used. @param part as `repositories.NAME` */
  async warnOfSecrets({ warnings, path }: LoadedConfig, part: string): Promise<void> {
    const used = warnings.filter((warning) => warning.path.startsWith(`${part}.`))
    for (const { line, path: key, message } of used) this.#warnOnce(`${path}:${line}: ${key} ${message}`)
    if (used.length === 0 || this.#machine.platform === 'win32') return
    const { mode } = await stat(path)
    if ((mode & 0o077) !== 0) this.#warnOnce(`${path} holds secrets and other users may read it: chmod 600 it`)
  }

  #warnOnce(message: string): void {
    if (this.#warned.has(message)) return
    this.#warned.add(message)
    this.#log.warn(message)
  }

  /**
   * Replaces the file in one step, readable for its owner alone. A symbolic link stays one.
   * @throws CliError when the folder or the file cannot be written
   */
  async write(path: string, text: string): Promise<void> {
    try {
      const { replaceFile } = await import('@bkp/core/config')
      await replaceFile(await realPath(path), text)
    } catch (error) {
      throw new CliError(
        'failure',
        `The configuration cannot be written: ${(error as Error).message}`,
        'Check who may write there',
      )
    }
  }
}

async function realPath(path: string): Promise<string> {
  return realpath(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return path
    throw error
  })
}

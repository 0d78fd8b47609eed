import type { Destination } from '@bkp/core'
import type { CompressionConfig, RepositoryConfig, Requirement } from '@bkp/core/config'
import type { Secret } from '@bkp/plugin-api'
import { inject, injectable } from 'tsyringe'
import { CommandSignal, Machine } from '../composition/tokens.js'
import { ConfigFile, type LoadedConfig } from '../config/config-file.js'
import { pathInConfig } from '../config/config-path.js'
import { UsageError } from '../errors/cli-error.js'
import { SecretReferences } from '../secrets/secret-references.js'
import { looksLikeName, type NamedPlace, namedIn, repositoryOf } from './place-names.js'
import { repositoryUrl } from './values.js'

/** The flags that say where a repository is. */
export interface PlaceFlags {
  readonly to?: readonly string[] | undefined
  readonly from?: readonly string[] | undefined
  readonly config?: string | undefined
  readonly 'limit-upload'?: string | undefined
  readonly 'limit-download'?: string | undefined
}

/** Where a repository is, and what the configuration says of it. */
export interface Places {
  /** At least one. */
  readonly destinations: readonly Destination[]
  /** How many of them must have a snapshot for a success; never more than there are. */
  readonly require: Requirement
  /** Its name in the configuration, when the places came from there. */
  readonly repository?: string
  /** Fetches the passphrase that the configuration refers to. */
  readonly password?: () => Promise<Secret>
  readonly compression?: CompressionConfig
  readonly cipher?: string
}

export interface ResolveOptions {
  /** Which the job names, if there is a job that does. */
  readonly jobRepository?: string | undefined
  /** What names a place on this command line, for messages. */
  readonly flag?: '--to' | '--from'
}

/**
 * Finds the places that are meant: by `--to` or `--from`, each a URL, a folder, or the name of a repository or destination of
 * the configuration; else by the job; else by BKP_DESTINATIONS or BKP_REPOSITORY; else the only repository there is.
 */
@injectable()
export class PlaceResolver {
  readonly #config: ConfigFile
  readonly #references: SecretReferences
  readonly #machine: Machine
  readonly #signal: AbortSignal

  constructor(
    @inject(ConfigFile) config: ConfigFile,
    @inject(SecretReferences) references: SecretReferences,
    @inject(Machine) machine: Machine,
    @inject(CommandSignal) signal: AbortSignal,
  ) {
    this.#config = config
    this.#references = references
    this.#machine = machine
    this.#signal = signal
  }

  /** @throws UsageError, ConfigError */
  async resolve(flags: PlaceFlags, { jobRepository, flag = '--to' }: ResolveOptions = {}): Promise<Places> {
    const given = this.#given(flags, jobRepository)
    const mayBeNames = given.length === 0 || given.some(looksLikeName)
    const loaded = mayBeNames ? await this.#config.load(flags.config) : undefined
    const wanted = given.length === 0 ? onlyRepository(loaded, flag) : given
    const named: NamedPlace[] = []
    const destinations: Destination[] = []
    for (const text of wanted) {
      const found = loaded === undefined ? undefined : await namedIn(loaded.config, text)
      if (loaded === undefined || found === undefined) {
        const url = repositoryUrl(text)
        destinations.push({ name: await shown(url), url })
        continue
      }
      for (const place of found) named.push(place)
      destinations.push(...(await Promise.all(found.map((place) => this.#destinationOf(place, loaded)))))
    }
    const repository = repositoryOf(named)
    const places = await this.#withLimits(toldApart(unique(destinations)), flags)
    if (repository === undefined || loaded === undefined) return { destinations: places, require: 'all' }
    await this.#config.warnOfSecrets(loaded, `repositories.${repository}`)
    const settings = loaded.config.repositories[repository] as RepositoryConfig
    return { destinations: places, repository, ...this.#settingsOf(repository, settings, loaded, places.length) }
  }

  #given(flags: PlaceFlags, jobRepository: string | undefined): readonly string[] {
    const given = flags.to ?? flags.from
    if (given !== undefined) return given
    if (jobRepository !== undefined) return [jobRepository]
    const { BKP_DESTINATIONS: several = '', BKP_REPOSITORY: one = '' } = this.#machine.env
    if (several.trim() !== '') return several.trim().split(/\s+/)
    return one === '' ? [] : [one]
  }

  async #destinationOf(
    { repository, name, written }: NamedPlace,
    { path, storages }: LoadedConfig,
  ): Promise<Destination> {
    const { isPlainPath, isSecretProperty, propertiesOf, schemeOf } = await import('@bkp/core/config')
    const { url, options, limits, patience } = written
    const storage = storages.find(({ schemes }) => schemes.includes(schemeOf(url)))
    const properties = propertiesOf(storage?.schema ?? {})
    const fetched = Object.entries(options).map(async ([option, value]) => {
      if (typeof value !== 'string' || !isSecretProperty(properties[option])) return [option, value] as const
      return [option, await this.#references.fetch(value, `option ${option} of ${repository}:${name}`, path)] as const
    })
    const destination = {
      name,
      url: isPlainPath(url) ? pathInConfig(url, path, this.#machine.home) : url,
      ...(limits === undefined ? {} : { limits }),
      ...(patience === undefined ? {} : { patience }),
    }
    if (fetched.length === 0) return destination
    try {
      return { ...destination, options: Object.fromEntries(await Promise.all(fetched)) }
    } catch (error) {
      if (!(error instanceof UsageError) || this.#signal.aborted) throw error
      // The others do without it.
      return { ...destination, unusable: error }
    }
  }

  async #withLimits(destinations: readonly Destination[], flags: PlaceFlags): Promise<readonly Destination[]> {
    const upload = flags['limit-upload']
    const download = flags['limit-download']
    if (upload === undefined && download === undefined) return destinations
    const { parseRate, withRates } = await import('@bkp/core/config')
    for (const [flag, text] of [
      ['--limit-upload', upload],
      ['--limit-download', download],
    ]) {
      if (text !== undefined && parseRate(text) === undefined)
        throw new UsageError(
          `${flag} ${text} is not a rate`,
          'Write for example 500K, 5M or unlimited: bytes per second',
        )
    }
    const rates = { ...(upload === undefined ? {} : { upload }), ...(download === undefined ? {} : { download }) }
    return destinations.map((destination) => {
      const limits = withRates(destination.limits, rates)
      return limits === undefined ? destination : { ...destination, limits }
    })
  }

  #settingsOf(
    name: string,
    { require, password, compression, cipher }: RepositoryConfig,
    { path }: LoadedConfig,
    count: number,
  ): Omit<Places, 'destinations' | 'repository'> {
    return {
      require: require === 'all' ? 'all' : Math.min(require, count),
      ...(password === undefined
        ? {}
        : { password: () => this.#references.fetch(password, `the passphrase of ${name}`, path) }),
      ...(compression === undefined ? {} : { compression }),
      ...(cipher === undefined ? {} : { cipher }),
    }
  }
}

// A plain path needs no more; a URL may have a query, and a password, which is refused later.
async function shown(url: string): Promise<string> {
  return /[?@]/.test(url) ? (await import('@bkp/core/config')).shownUrl(url) : url
}

function onlyRepository(loaded: LoadedConfig | undefined, flag: string): readonly string[] {
  const names = Object.keys(loaded?.config.repositories ?? {})
  const [first, second] = names
  if (first !== undefined && second === undefined) return [first]
  if (first === undefined) throw new UsageError('No repository is named', `Name it: ${flag} URL, or set BKP_REPOSITORY`)
  throw new UsageError(
    'No repository is named, and the configuration has several',
    `Name one: ${flag} ${names.join(` | ${flag} `)}`,
  )
}

function unique(destinations: readonly Destination[]): readonly Destination[] {
  return destinations.filter(({ url }, n) => destinations.findIndex((other) => other.url === url) === n)
}

/** What differs in its options alone has the same name until here. */
function toldApart(destinations: readonly Destination[]): readonly Destination[] {
  return destinations.map((destination, n) => {
    const before = destinations.slice(0, n).filter(({ name }) => name === destination.name).length
    return before === 0 ? destination : { ...destination, name: `${destination.name} (${before + 1})` }
  })
}

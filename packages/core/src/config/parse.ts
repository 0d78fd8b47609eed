import { ConfigError, type ConfigProblem } from './config-error.js'
import { hasPassword, schemeOf, splitQuery } from './destination-url.js'
import { ConfigDocument } from './document.js'
import { limitsOf, patienceOf, type WrittenLimits, type WrittenPatience } from './limits.js'
import type {
  CompressionConfig,
  Config,
  DestinationConfig,
  JobConfig,
  NotifierConfig,
  NotifierDescription,
  RepositoryConfig,
  StorageDescription,
} from './model.js'
import { defaultNotificationKinds } from './notifier.js'
import { idleProblems, notifierProblems, secretProblems, wordsOf, writtenProblems } from './problems.js'
import { configSchema } from './schema.js'
import { faultsBySchema, unknownText } from './schema-faults.js'
import { isSecretProperty, propertiesOf } from './schema-parts.js'
import { parseSize } from './size.js'

export interface ParsedConfig {
  readonly config: Config
  readonly warnings: readonly ConfigProblem[]
}

type Written = Readonly<Record<string, unknown>>

/**
 * Reads a configuration. Pure: nothing is looked up, no secret is fetched.
 * @param storages whose options can be checked, and `notifiers`
 * @param file its name in messages
 * @throws ConfigError with every error and its place
 */
export async function parseConfig(
  text: string,
  storages: readonly StorageDescription[],
  file = 'config.yaml',
  notifiers: readonly NotifierDescription[] = [],
): Promise<ParsedConfig> {
  const document = new ConfigDocument(text)
  const problems = await problemsOf(document, storages, notifiers)
  const errors = problems.filter(({ level }) => level === 'error')
  if (errors.length > 0) throw new ConfigError(file, errors)
  return { config: configOf(document.values() as Written), warnings: problems }
}

async function problemsOf(
  document: ConfigDocument,
  storages: readonly StorageDescription[],
  notifiers: readonly NotifierDescription[],
): Promise<ConfigProblem[]> {
  const syntax = document.syntaxProblems()
  if (syntax.length > 0) return [...syntax]
  let values: unknown
  try {
    values = document.values()
  } catch {
    return [document.problem('error', [], 'has aliases that cannot be resolved')]
  }
  if (values === null || values === undefined)
    return [document.problem('error', [], 'is empty; it begins with "version: 1"')]
  const faults = await faultsBySchema(configSchema([]), values)
  if (faults.length > 0)
    return faults.map(({ path, message }) => document.problem('error', path, wordsOf(path, message)))
  const config = configOf(values as Written)
  const problems: ConfigProblem[] = []
  for (const [name, repository] of Object.entries(config.repositories)) {
    const path = ['repositories', name]
    problems.push(...secretProblems(document, [...path, 'password'], repository.password))
    const count = Object.keys(repository.destinations).length
    if (repository.require !== 'all' && repository.require > count)
      problems.push(document.problem('error', [...path, 'require'], `is more than the ${count} destinations there are`))
    for (const [destination, written] of Object.entries(repository.destinations))
      problems.push(...(await destinationProblems(document, [...path, 'destinations', destination], written, storages)))
  }
  for (const [name, notifier] of Object.entries(config.notifiers))
    problems.push(...(await notifierProblems(document, ['notifiers', name], notifier, notifiers)))
  for (const [name, job] of Object.entries(config.jobs))
    problems.push(...(await jobProblems(document, ['jobs', name], job, config)))
  return problems
}

async function destinationProblems(
  document: ConfigDocument,
  path: readonly string[],
  { url, options }: DestinationConfig,
  storages: readonly StorageDescription[],
): Promise<ConfigProblem[]> {
  const error = (more: readonly string[], message: string) => document.problem('error', [...path, ...more], message)
  if (hasPassword(url))
    return [error(['url'], 'holds a password, which messages and other programs would show; make it an option')]
  const storage = storages.find(({ schemes }) => schemes.includes(schemeOf(url)))
  if (storage === undefined) {
    const known = storages.flatMap(({ schemes }) => schemes)
    return known.length === 0
      ? []
      : [
          document.problem(
            'warning',
            [...path, 'url'],
            `has a scheme that no plugin here knows; known are ${known.join(', ')}`,
          ),
        ]
  }
  const schema = storage.schema ?? { type: 'object', properties: {}, additionalProperties: false }
  const properties = propertiesOf(schema)
  const problems: ConfigProblem[] = []
  for (const name of splitQuery(url).query.keys()) {
    if (isSecretProperty(properties[name]))
      problems.push(error(['url'], `holds the secret "${name}"; make it an option`))
    else if (properties[name] === undefined && schema.additionalProperties === false)
      problems.push(error(['url'], `has the option "${name}", which ${unknownText(name, Object.keys(properties))}`))
  }
  if (Object.keys(options).length === 0) return problems
  return [...problems, ...(await writtenProblems(document, [...path, 'options'], options, schema))]
}

async function jobProblems(
  document: ConfigDocument,
  path: readonly string[],
  job: JobConfig,
  { repositories, notifiers }: Config,
): Promise<ConfigProblem[]> {
  const { repository, schedule, command, name, notify = [] } = job
  const problems = idleProblems(document, path, job)
  const error = (key: string, message: string) => problems.push(document.problem('error', [...path, key], message))
  const known = Object.keys(repositories)
  if (repository !== undefined && !known.includes(repository)) error('repository', unknownText(repository, known))
  if (name !== undefined && command === undefined) error('name', 'is the file name for a command, and there is none')
  for (const [n, wanted] of notify.entries()) {
    const names = Object.keys(notifiers)
    if (!names.includes(wanted))
      problems.push(document.problem('error', [...path, 'notify', String(n)], unknownText(wanted, names)))
  }
  if (schedule === undefined) return problems
  const { Cron } = await import('croner')
  try {
    new Cron(schedule, { paused: true }).stop()
  } catch {
    error('schedule', 'is not a cron expression; write for example "30 2 * * *" for 2:30 every night')
  }
  return problems
}

function configOf({ repositories, jobs, notifiers }: Written): Config {
  return {
    repositories: mapped(repositories, repositoryOf),
    jobs: mapped(jobs, jobOf),
    notifiers: mapped(notifiers, notifierOf),
  }
}

// Without a prototype: a name such as "constructor" is a name like any other.
function mapped<T>(written: unknown, change: (value: unknown) => T): Readonly<Record<string, T>> {
  const made = Object.create(null) as Record<string, T>
  for (const [name, value] of Object.entries((written ?? {}) as Written)) made[name] = change(value)
  return made
}

function repositoryOf(written: unknown): RepositoryConfig {
  const { destinations, require = 'all', compression, ...rest } = written as Written
  return {
    ...(rest as Pick<RepositoryConfig, 'password' | 'cipher'>),
    destinations: mapped(destinations, destinationOf),
    require: require as RepositoryConfig['require'],
    ...(compression === undefined ? {} : { compression: compressionOf(compression) }),
  }
}

function destinationOf(written: unknown): DestinationConfig {
  if (typeof written === 'string') return { url: written, options: {} }
  const { url, options = {}, limits, patience } = written as Written
  return {
    url: url as string,
    options: options as DestinationConfig['options'],
    ...(limits === undefined ? {} : { limits: limitsOf(limits as WrittenLimits) }),
    ...(patience === undefined ? {} : { patience: patienceOf(patience as WrittenPatience) }),
  }
}

function notifierOf(written: unknown): NotifierConfig {
  const { options = {}, on = defaultNotificationKinds, ...rest } = written as Written
  return {
    ...(rest as Pick<NotifierConfig, 'use' | 'patience'>),
    options: options as NotifierConfig['options'],
    on: on as NotifierConfig['on'],
  }
}

function jobOf(written: unknown): JobConfig {
  const { excludeLargerThan, compression, source, ...rest } = written as Written
  const largest = typeof excludeLargerThan === 'string' ? parseSize(excludeLargerThan) : excludeLargerThan
  return {
    paths: [],
    excludes: [],
    excludeFiles: [],
    tags: [],
    ...(rest as Partial<JobConfig>),
    ...(source === undefined ? {} : { source: { options: {}, ...(source as { use: string }) } }),
    ...(largest === undefined ? {} : { excludeLargerThanBytes: largest as number }),
    ...(compression === undefined ? {} : { compression: compressionOf(compression) }),
  }
}

function compressionOf(written: unknown): CompressionConfig {
  return typeof written === 'string' ? { id: written } : (written as CompressionConfig)
}

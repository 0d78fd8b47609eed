import type { StorageDescription } from '@bkp/core/config'
import type { JsonSchema } from '@bkp/plugin-api'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { askForOptions, missingOptions, optionTexts } from '../../config/destination-options.js'
import { UsageError } from '../../errors/cli-error.js'
import { configFlag } from '../../flags/common.js'
import { refuseBrokenHost, repositoryUrl } from '../../flags/values.js'
import { safe } from '../../output/text.js'

export default class DestinationsAdd extends BaseCommand {
  static override summary = 'Put a destination into the configuration.'
  static override description =
    'Makes the configuration file if there is none. Asks for the options that the storage wants, where there is a terminal. Secrets are given as references (env:NAME, file:/path, command:program, keychain:service/account) or typed. Nothing is opened: see bkp init and bkp backup.'
  static override examples = [
    '<%= config.bin %> destinations add disk /mnt/disk/backup',
    '<%= config.bin %> destinations add nas sftp://ann@nas.example/backup --repository home',
  ]
  static override args = {
    name: Args.string({ description: 'how to call it', required: true }),
    url: Args.string({ description: 'a folder or a URL', required: true }),
  }
  static override flags = {
    ...configFlag,
    repository: Flags.string({
      description: 'to which repository (default: the only one; else a new one, "default")',
      helpValue: 'NAME',
    }),
    set: Flags.string({
      description: 'an option of the storage; a secret only as a reference',
      helpValue: 'NAME=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(DestinationsAdd)
    const { config } = await this.scope()
    refuseName(args.name)
    const url = repositoryUrl(args.url)
    const core = await import('@bkp/core/config')
    await refuseBrokenHostUnlessPath(url, core.schemeOf(url))
    const { path } = config.locate(flags.config)
    const old = (await config.readIfThere(flags.config)) ?? core.newConfigText(this.schemaPath)
    const loaded = await config.check(old, path)
    const repository = flags.repository ?? onlyOne(Object.keys(loaded.config.repositories))
    const storage = await storageOf(loaded.storages, core.schemeOf(url))
    const schema = storage.schema ?? { type: 'object', properties: {}, additionalProperties: false }
    const given = await optionTexts(schema, flags.set ?? [])
    const query = core.splitQuery(url).query
    await refuseQuery(schema, query)
    const missing = missingOptions(schema, [...Object.keys(given), ...query.keys()], this.terminal.env)
    const typed = this.terminal.canAsk ? await askForOptions(missing, this.questions) : {}
    const options = await core.optionsFromTexts(schema, { ...given, ...typed })
    const text = core.addDestination(old, repository, args.name, { url, options })
    const added = await config.check(text, path)
    await config.write(path, text)
    await this.#warn(added.warnings, ['repositories', repository, 'destinations', args.name].join('.'))
    for (const { name, isRequired } of missing)
      if (isRequired && !Object.hasOwn(typed, name))
        this.warnPeople(`The option ${name} is missing; a run will need it`)
    const told = { path, repository, name: args.name, url: core.shownUrl(url), options: Object.keys(options) }
    if (flags.json) return this.printJson(told)
    const others = Object.keys(loaded.config.repositories[repository]?.destinations ?? {}).length
    await this.print(
      [
        `Added ${safe(args.name)} to ${safe(repository)} in ${safe(path)}: ${safe(told.url)}`,
        `Try it: bkp destinations test --to ${safe(args.name)}`,
        others === 0
          ? `Begin a repository: bkp init --to ${safe(repository)}`
          : `Begin a repository: bkp init --to ${safe(repository)}; or, where the others hold it already: bkp sync --to ${safe(args.name)}`,
      ].join('\n'),
    )
  }

  async #warn(warnings: readonly { readonly path: string; readonly message: string }[], prefix: string): Promise<void> {
    for (const { path, message } of warnings)
      if (path === prefix || path.startsWith(`${prefix}.`)) this.warnPeople(`${path} ${message}`)
  }
}

/** Storages of somebody else's may lie at a path without a host, as in `mynas:///folder`; of ours only folders do. */
async function refuseBrokenHostUnlessPath(url: string, scheme: string): Promise<void> {
  if (/^[^:]+:\/\/\/./.test(url)) {
    const { builtInNames } = await import('../../composition/built-in-contributions.js')
    if (!builtInNames().some(({ port, name }) => port === 'scheme' && name === scheme)) return
  }
  refuseBrokenHost(url)
}

function onlyOne(repositories: readonly string[]): string {
  const [first, second] = repositories
  if (second !== undefined)
    throw new UsageError(
      'The configuration has several repositories',
      `Name one: --repository ${repositories.join(' | --repository ')}`,
    )
  return first ?? 'default'
}

function refuseName(name: string): void {
  if (/^[A-Za-z0-9][\w.-]*$/.test(name)) return
  throw new UsageError(
    `The name "${name}" is not made of letters, digits, "-", "_" and "."`,
    'Choose another, for example: disk, nas, b2',
  )
}

/** Here, and not by line and column of a file that is not written yet. Secrets are refused with the rest of the configuration. */
async function refuseQuery(schema: JsonSchema, query: URLSearchParams): Promise<void> {
  const { isSecretProperty, optionsFromTexts, propertiesOf } = await import('@bkp/core/config')
  const properties = propertiesOf(schema)
  const open = [...query].filter(([name]) => !isSecretProperty(properties[name]))
  // What is required may still come from elsewhere.
  await optionsFromTexts({ ...schema, required: [] }, Object.fromEntries(open))
}

async function storageOf(storages: readonly StorageDescription[], scheme: string): Promise<StorageDescription> {
  const found = storages.find(({ schemes }) => schemes.includes(scheme))
  if (found !== undefined) return found
  const known = storages.flatMap(({ schemes }) => schemes)
  const { nearest } = await import('@bkp/core/config')
  const meant = nearest(scheme, known)
  const web =
    'A WebDAV server is webdav://HOST/PATH or, with TLS, webdavs://…; an S3 server s3://BUCKET?endpoint=https://HOST. '
  const advice = /^https?$/.test(scheme) ? web : meant === undefined ? '' : `Did you mean ${meant}? `
  throw new UsageError(`No plugin can reach ${scheme}: URLs`, `${advice}Schemes that are there: ${known.join(', ')}`)
}

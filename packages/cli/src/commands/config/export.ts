import { existsSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import type { SecretPlace } from '@bkp/core/config'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import type { LoadedConfig } from '../../config/config-file.js'
import { sealText } from '../../config/sealed-config.js'
import { CliError, UsageError } from '../../errors/cli-error.js'
import { configFlag, passphraseFlags } from '../../flags/common.js'
import { safe } from '../../output/text.js'

export default class ConfigExport extends BaseCommand {
  static override summary = 'Print the configuration for another machine.'
  static override description =
    'Without secrets: references stay, secrets in the file itself and comments are left out. With --with-secrets: everything, with all secrets fetched, encrypted under a passphrase (BKP_EXPORT_PASSWORD, --password-file, --password-command, or asked for). It opens by bkp config import, and by the standard age tool: age -d FILE.'
  static override examples = [
    '<%= config.bin %> config export > bkp.yaml',
    '<%= config.bin %> config export --with-secrets --output bkp-config.age',
  ]
  static override flags = {
    ...configFlag,
    ...passphraseFlags,
    'with-secrets': Flags.boolean({ default: false, description: 'with all secrets, encrypted under a passphrase' }),
    output: Flags.string({ description: 'write to a file instead of standard output', char: 'o', helpValue: 'FILE' }),
    force: Flags.boolean({ default: false, description: 'replace a file that is there' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigExport)
    if (flags.output !== undefined && !flags.force) refuseExisting(flags.output)
    const { config, secrets } = await this.scope()
    const loaded = await config.require(flags.config)
    const { isLiteralSecret, secretPlaces } = await import('@bkp/core/config')
    const places = secretPlaces(loaded.text, loaded.storages, loaded.notifiers)
    const left = flags['with-secrets'] ? [] : places.filter(isLiteralSecret).map(({ path }) => path.join('.'))
    const content = flags['with-secrets']
      ? await sealText(await this.#complete(loaded, places), await secrets.readExportPassphrase(flags, 'new'))
      : await this.#bare(loaded, places)
    for (const key of left) this.warnPeople(`${key} is a secret and was left out`)
    if (flags['with-secrets']) for (const missing of await notIn(loaded)) this.warnPeople(missing)
    if (flags.output !== undefined) await this.#save(flags.output, content)
    const output = flags.output ?? null
    if (flags.json) {
      const told = output === null ? { content } : {}
      return this.printJson({ output, encrypted: flags['with-secrets'], leftOut: left, ...told })
    }
    await this.print(output === null ? content.trimEnd() : `Exported to ${safe(output)}`)
  }

  async #bare({ text }: LoadedConfig, places: readonly SecretPlace[]): Promise<string> {
    const { isLiteralSecret, withSecrets } = await import('@bkp/core/config')
    return withSecrets(text, places, (place) => (isLiteralSecret(place) ? undefined : { text: place.text }))
  }

  /** Secrets in place of the references to them: where this is read, the references may lead nowhere. */
  async #complete({ text, path }: LoadedConfig, places: readonly SecretPlace[]): Promise<string> {
    const { references } = await this.scope()
    const { isLiteralSecret, literalText, withSecrets } = await import('@bkp/core/config')
    const values = new Map<SecretPlace, string>()
    for (const place of places)
      values.set(place, (await references.fetch(place.text, place.path.join('.'), path)).reveal())
    return withSecrets(text, places, (place) => ({
      text: literalText(values.get(place) as string),
      ...(isLiteralSecret(place) ? {} : { comment: `was ${place.text}` }),
    }))
  }

  async #save(file: string, content: string): Promise<void> {
    try {
      const { replaceFile } = await import('@bkp/core/config')
      await replaceFile(file, content)
    } catch (error) {
      throw new CliError(
        'failure',
        `${file} cannot be written: ${(error as Error).message}`,
        'Choose another place: --output FILE',
      )
    }
  }
}

/** It may be the only export that there is, under another passphrase. */
function refuseExisting(file: string): void {
  if (existsSync(file))
    throw new UsageError(`There is a file already: ${file}`, 'Choose another name, or replace it with --force')
}

/** What a new machine needs beside the file: it seems to hold everything. */
async function notIn({ config }: LoadedConfig): Promise<readonly string[]> {
  const repositories = Object.entries(config.repositories)
  const passphrases = repositories.flatMap(([name, { password }]) =>
    password === undefined
      ? [`The passphrase of ${name} is not in the configuration, and so not in the export: keep it as well`]
      : [],
  )
  const files = repositories.flatMap(([repository, { destinations }]) =>
    Object.entries(destinations).flatMap(([name, { options }]) =>
      Object.entries(options).flatMap(([option, value]) =>
        typeof value === 'string' && isAbsolute(value) && existsSync(value)
          ? [`The file ${value} (${option} of ${repository}:${name}) is not in the export: keep it as well`]
          : [],
      ),
    ),
  )
  return [...passphrases, ...files]
}

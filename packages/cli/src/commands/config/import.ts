import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { isSealed, openSealed } from '../../config/sealed-config.js'
import { UsageError } from '../../errors/cli-error.js'
import { configFlag, passphraseFlags } from '../../flags/common.js'
import { safe } from '../../output/text.js'

export default class ConfigImport extends BaseCommand {
  static override summary = 'Take over an exported configuration.'
  static override description =
    'Checks the file, asks for its passphrase when it is encrypted (BKP_EXPORT_PASSWORD, --password-file, --password-command), and makes it the configuration of this machine.'
  static override examples = [
    '<%= config.bin %> config import bkp-config.age',
    '<%= config.bin %> config import bkp.yaml --config ./bkp.yaml --force',
  ]
  static override args = { file: Args.string({ description: 'exported file; "-" for standard input', required: true }) }
  static override flags = {
    ...configFlag,
    ...passphraseFlags,
    force: Flags.boolean({
      default: false,
      description: 'replace a configuration that is there; it is kept as FILE.old',
    }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(ConfigImport)
    const { config, secrets } = await this.scope()
    const { path } = config.locate(flags.config)
    const old = await config.readIfThere(flags.config)
    if (old !== undefined && !flags.force) {
      throw new UsageError(
        `There is a configuration already: ${path}`,
        'Replace it with --force; it is kept as FILE.old',
      )
    }
    const data = await this.#read(args.file)
    const encrypted = isSealed(data)
    const text = encrypted ? await openSealed(data, await secrets.readExportPassphrase(flags, 'known')) : textOf(data)
    const { warnings, config: imported } = await config.check(text, args.file)
    if (old !== undefined) await config.write(`${path}.old`, old)
    await config.write(path, text)
    const repositories = Object.keys(imported.repositories)
    if (flags.json) return this.printJson({ path, encrypted, repositories, jobs: Object.keys(imported.jobs) })
    for (const { path: key, message } of warnings) this.warnPeople(`${key} ${message}`)
    await this.print(
      `Imported to ${safe(path)}: ${repositories.length === 0 ? 'no repository' : repositories.join(', ')}`,
    )
  }

  async #read(file: string): Promise<Uint8Array> {
    if (file === '-') return buffer(process.stdin)
    return readFile(file).catch((error: Error) => {
      throw new UsageError(`The file cannot be read: ${error.message}`, 'Check its path and who may read it')
    })
  }
}

function textOf(data: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data)
  } catch {
    throw new UsageError('The file is neither text nor encrypted by age', 'Import what bkp config export wrote')
  }
}

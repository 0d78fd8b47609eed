import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Args, Flags } from '@oclif/core'
import { UsageError } from '../../errors/cli-error.js'
import { quoted, safe } from '../../output/text.js'
import { PluginCommand, yesFlag } from '../../plugins/plugin-command.js'
import { approvalJson } from '../../plugins/plugin-json.js'

export default class PluginsLink extends PluginCommand {
  static override summary = 'Use a plugin from the folder where you develop it.'
  static override description =
    'The folder stays where it is and may change at any time: it is trusted by its path, its files are not verified, and lists say so. Its dependencies have to be installed there already.'
  static override examples = [
    '<%= config.bin %> plugins link ./bkp-storage-example',
    '<%= config.bin %> plugins link . --yes --name bkp-storage-example',
  ]
  static override args = { folder: Args.string({ description: 'folder of the package', required: true }) }
  static override flags = {
    ...yesFlag,
    name: Flags.string({ description: 'the name that its package.json must have; --yes needs it', helpValue: 'NAME' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsLink)
    const folder = resolve(args.folder)
    const found = await stat(`${folder}/package.json`).catch(() => undefined)
    if (found === undefined)
      throw new UsageError(`There is no package.json in ${folder}`, 'Name the folder of a package')
    if (flags.yes && flags.name === undefined)
      throw new UsageError('--yes needs --name for a linked folder', 'Say which plugin you mean: --yes --name NAME')
    const candidate = await (await this.pluginManager()).stageLink(folder)
    const { name } = candidate.facts
    if (flags.name !== undefined && flags.name !== name)
      throw new UsageError(`The package in ${folder} is ${name}, and not ${flags.name}`, 'Check the folder')
    const question = `Link ${safe(name)}, and run whatever code lies in ${safe(folder)} from now on?`
    const toType = `bkp plugins:link ${quoted(folder)} --yes --name ${name}`
    await this.requireConsent(candidate, flags, question, toType)
    const approval = await candidate.accept()
    if (flags.json) return this.printJson({ plugin: approvalJson(approval) })
    await this.print(`Linked ${safe(name)} to ${safe(folder)}. See: bkp plugins:inspect ${name} --trace`)
  }
}

import { Args } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { UsageError } from '../../errors/cli-error.js'
import { safe } from '../../output/text.js'

export default class PluginsUninstall extends BaseCommand {
  static override summary = 'Remove a plugin, or the link to one.'
  static override description =
    'What was backed up with a compression or cipher of the plugin cannot be read without it. A linked folder itself is left alone.'
  static override examples = ['<%= config.bin %> plugins uninstall bkp-storage-example']
  static override args = { name: Args.string({ description: 'name of the package', required: true }) }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsUninstall)
    const manager = await this.pluginManager()
    if (!(await manager.uninstall(args.name)))
      throw new UsageError(`${args.name} is not installed`, 'See what is: bkp plugins:list')
    if (flags.json) return this.printJson({ name: args.name })
    await this.print(`Removed ${safe(args.name)}`)
  }
}

import { existsSync } from 'node:fs'
import { BaseCommand } from '../../base-command.js'
import { configFlag } from '../../flags/common.js'
import { safe } from '../../output/text.js'

export default class ConfigPath extends BaseCommand {
  static override summary = 'Print where the configuration file is.'
  static override description =
    'Named by --config, else by BKP_CONFIG, else in the usual folder of the system. It need not be there.'
  static override examples = ['<%= config.bin %> config path']
  static override flags = configFlag

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigPath)
    const { path } = (await this.scope()).config.locate(flags.config)
    await (flags.json ? this.printJson({ path, exists: existsSync(path) }) : this.print(safe(path)))
  }
}

import { BaseCommand } from '../../base-command.js'
import { configFlag } from '../../flags/common.js'
import { safeLines } from '../../output/text.js'

export default class ConfigShow extends BaseCommand {
  static override summary = 'Show the configuration, without its secrets.'
  static override description = 'References to secrets are shown, secrets and comments are not.'
  static override examples = ['<%= config.bin %> config show', '<%= config.bin %> config show --json']
  static override flags = configFlag

  async run(): Promise<void> {
    const { flags } = await this.parse(ConfigShow)
    const { config } = await this.scope()
    const { text, path, storages, notifiers } = await config.require(flags.config)
    const { configValues, redactedConfig } = await import('@bkp/core/config')
    const redacted = redactedConfig(text, storages, notifiers)
    if (flags.json) return this.printJson({ path, config: configValues(redacted) })
    await this.print(safeLines(redacted.trimEnd()))
  }
}

import { Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { exitCode } from '../../errors/exit-codes.js'
import { table } from '../../output/table.js'
import { safe } from '../../output/text.js'

export default class PluginsAudit extends BaseCommand {
  static override summary = 'Verify that installed plugins are what you approved.'
  static override description =
    'Compares every file with what was approved, without running any of it. With --registry it also asks the registry for signatures and known vulnerabilities of all packages. Exit code 13: a plugin is not what you approved, or a signature is wrong.'
  static override examples = ['<%= config.bin %> plugins audit', '<%= config.bin %> plugins audit --registry --json']
  static override flags = {
    registry: Flags.boolean({
      default: false,
      description: 'also ask the registry, by npm audit and npm audit signatures',
    }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginsAudit)
    const { auditPlugins } = await import('../../plugins/audit-plugins.js')
    const plugins = await auditPlugins(await this.pluginManager(), flags.registry ? 'registry' : 'files', this.signal)
    if (plugins.some(({ isSound }) => !isSound)) this.terminal.exitCode = exitCode.damaged
    if (flags.json) return this.printJson({ plugins })
    if (plugins.length === 0) return this.print('There are no plugins but those that come with bkp')
    const { green, red, yellow } = this.colours('stdout')
    const rows = plugins.map(({ name, state, message, registry, isSound }) => {
      const colour = !isSound ? red : state === 'linked' ? yellow : green
      const text = state === 'linked' ? 'linked, not verified' : isSound ? 'is what you approved' : state
      return [
        safe(name),
        colour(text),
        [message, registry]
          .filter((line) => line !== null)
          .map(safe)
          .join('\n'),
      ]
    })
    await this.print(await table([], rows))
  }
}

import { BaseCommand } from '../../base-command.js'
import { table } from '../../output/table.js'
import { safe } from '../../output/text.js'
import { listPlugins } from '../../plugins/plugin-json.js'

export default class PluginsList extends BaseCommand {
  static override summary = 'List the plugins that you installed.'
  static override description =
    'Says whether each is used: all its files are compared with what you approved, as whenever it is used. Runs none of their code.'
  static override examples = ['<%= config.bin %> plugins list', '<%= config.bin %> plugins list --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(PluginsList)
    const plugins = await listPlugins(await this.pluginManager())
    if (flags.json) return this.printJson({ plugins })
    if (plugins.length === 0)
      return this.print('There are no plugins but those that come with bkp. Install one: bkp plugins:install NAME')
    const rows = plugins.map(({ name, version, state, ports, source, message }) => [
      safe(name),
      safe(version ?? ''),
      state === 'linked' ? 'linked, not verified' : state,
      safe(
        Object.entries(ports)
          .map(([port, ids]) => `${port} ${ids.join(', ')}`)
          .join('; '),
      ),
      safe(message ?? source ?? ''),
    ])
    await this.print(await table(['NAME', 'VERSION', 'STATE', 'PORTS', 'SOURCE'], rows))
  }
}

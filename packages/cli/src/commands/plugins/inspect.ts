import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { pluginCallMsOf } from '../../composition/number-settings.js'
import { UsageError } from '../../errors/cli-error.js'
import { exitCode } from '../../errors/exit-codes.js'
import { table } from '../../output/table.js'
import { bytes, counted, safe } from '../../output/text.js'
import type { InspectedPlugin, TracedPlugin } from '../../plugins/inspect-plugin.js'
import { factRows, type PluginFacts } from '../../plugins/plugin-facts.js'

export default class PluginsInspect extends BaseCommand {
  static override summary = 'Tell all about an installed plugin.'
  static override description =
    'What was approved, whether its files are still that, which of them bkp would load, and what options it takes. With --trace its code is run as a backup would, in processes of its own that are ended afterwards, and what it registers or does wrong is told, with times. Exit code 13: it is not what you approved. Exit code 1: with --trace, something of it does not work.'
  static override examples = [
    '<%= config.bin %> plugins inspect bkp-storage-example',
    '<%= config.bin %> plugins inspect bkp-storage-example --trace --json',
  ]
  static override args = { name: Args.string({ description: 'name of the package', required: true }) }
  static override flags = {
    trace: Flags.boolean({ default: false, description: 'run it, and tell what it registers and how long that takes' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsInspect)
    const manager = await this.pluginManager()
    const { inspectPlugin, trace } = await import('../../plugins/inspect-plugin.js')
    const plugin = await inspectPlugin(manager, args.name)
    if (plugin === undefined) throw new UsageError(`${args.name} is not installed`, 'See what is: bkp plugins:list')
    const limitMs = pluginCallMsOf(this.terminal.env)
    const options = { signal: this.signal, ...(limitMs === undefined ? {} : { limitMs }) }
    const isTraced = flags.trace && plugin.state !== 'refused'
    const traced = isTraced ? await trace(manager, args.name, this.commandLog, options) : undefined
    if (plugin.state === 'refused') this.terminal.exitCode = exitCode.damaged
    else if (traced?.contributions.some(({ error }) => error !== undefined)) this.terminal.exitCode = exitCode.failure
    if (flags.json) return this.printJson({ plugin, trace: traced ?? null })
    await this.#print(plugin, traced)
  }

  async #print(plugin: InspectedPlugin, traced: TracedPlugin | undefined): Promise<void> {
    const { approval, state, message, directory, files, sizeBytes, loads, integrity } = plugin
    const shown = approval?.shown as PluginFacts | undefined
    const rows = [
      ...(shown === undefined ? [['package', plugin.name]] : factRows(shown, this.now(), 'installed')),
      [
        'state',
        state === 'linked'
          ? 'linked, not verified'
          : state === 'approved'
            ? 'is what you approved'
            : `refused: ${message}`,
      ],
      ['approved', approval?.approved ?? 'never'],
      ['folder', directory],
      ...(files === null ? [] : [['files', `${counted(files, 'file')}, ${bytes(sizeBytes ?? 0)}, ${integrity}`]]),
      ['bkp loads', loads.join(', ') || 'nothing'],
    ]
    await this.print(
      await table(
        [],
        rows.map(([what = '', text = '']) => [what, safe(text)]),
      ),
    )
    await this.#printOptions(plugin)
    if (traced === undefined) return
    const lines = traced.contributions.map(({ port, id, ms, error }) => [
      port,
      safe(id),
      `${ms.toFixed(1)} ms`,
      safe(error ?? 'works'),
    ])
    await this.print(
      `\n${await table(['PORT', 'ID', 'TIME', ''], [['files', '', `${traced.verifyMs.toFixed(1)} ms`, 'verified'], ...lines])}`,
    )
  }

  async #printOptions({ manifest }: InspectedPlugin): Promise<void> {
    if (manifest === null) return
    const { optionRows } = await import('../../plugins/option-rows.js')
    const rows = optionRows(manifest).map((row) => row.map(safe))
    if (rows.length > 0) await this.print(`\n${await table(['OF', 'OPTION', ''], rows)}`)
  }
}

import { resolve } from 'node:path'
import { Args } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { exitCode } from '../../errors/exit-codes.js'
import { counted, safe } from '../../output/text.js'

export default class PluginsLint extends BaseCommand {
  static override summary = 'Find what would fail for users of a plugin.'
  static override description =
    'Looks at a folder as npm would pack it, or at a tarball: missing files, manifest and schemas, range of plugin-api, names that are taken, hooks, install scripts, undeclared hosts, secrets that are not marked. Runs no code of the plugin. Exit code 1: there are errors.'
  static override examples = [
    '<%= config.bin %> plugins lint',
    '<%= config.bin %> plugins lint ./bkp-storage-mynas',
    '<%= config.bin %> plugins lint bkp-storage-mynas-0.1.0.tgz --json',
  ]
  static override args = {
    plugin: Args.string({ description: 'folder or tarball of the plugin', default: '.' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(PluginsLint)
    const { readPackage } = await import('../../authoring/lint/read-package.js')
    const { lintPlugin } = await import('../../authoring/lint/lint.js')
    const { builtInNames } = await import('../../composition/built-in-contributions.js')
    const plugin = await readPackage(resolve(args.plugin))
    const findings = await lintPlugin(plugin, { taken: builtInNames() })
    const errors = findings.filter(({ level }) => level === 'error').length
    if (errors > 0) this.terminal.exitCode = exitCode.failure
    const name = `${plugin.json.name ?? '(no name)'}@${plugin.json.version ?? '(no version)'}`
    if (flags.json) return this.printJson({ package: name, findings })
    const lines = findings.flatMap(({ level, rule, path, message, hint }) => [
      `${level === 'error' ? 'Error' : 'Warning'} [${rule}] ${safe(path)}: ${safe(message)}`,
      `  ${safe(hint)}`,
    ])
    const summary =
      findings.length === 0
        ? `${safe(name)}: nothing found`
        : `${safe(name)}: ${counted(errors, 'error')}, ${counted(findings.length - errors, 'warning')}`
    await this.print([...lines, summary].join('\n'))
  }
}

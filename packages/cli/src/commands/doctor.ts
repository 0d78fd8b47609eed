import pc from 'picocolors'
import { BaseCommand } from '../base-command.js'
import { composeEngine } from '../composition/engine.js'
import { exitCode } from '../output/exit-codes.js'
import { safe } from '../output/text.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Tell what works on this machine.'
  static override description = 'Tries every codec and cipher, and says what a backup cannot keep here.'
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --json']

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    const engine = await composeEngine()
    const findings = await engine.doctor()
    await engine.close()
    if (flags.json) this.printJson({ findings })
    else {
      const { default: Table } = await import('cli-table3')
      const table = new Table({ head: ['', 'Subject', 'Finding'], style: { head: [], border: [] } })
      const colour = { ok: pc.green, warning: pc.yellow, error: pc.red }
      for (const { level, subject, message, hint } of findings) {
        table.push([colour[level](level), subject, safe(message) + (hint === undefined ? '' : `\n${safe(hint)}`)])
      }
      this.print(table.toString())
    }
    if (findings.some(({ level }) => level === 'error')) process.exitCode = exitCode.failure
  }
}

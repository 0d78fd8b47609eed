import type { DoctorFinding } from '@bkp/core'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { describeError } from '../errors/describe-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { configFlag, unlockFlags } from '../flags/common.js'
import { table } from '../output/table.js'
import { counted, safe } from '../output/text.js'

export default class Doctor extends BaseCommand {
  static override summary = 'Tell what works on this machine.'
  static override description =
    'Tries every codec and cipher, and says what a backup cannot keep here; with --from also opens a repository. Exit code 1: something does not work.'
  static override examples = ['<%= config.bin %> doctor', '<%= config.bin %> doctor --from /mnt/disk/backup --json']
  static override flags = {
    from: Flags.string({
      description: 'also open the repository there: a folder, a URL, or a name of the configuration',
      helpValue: 'PLACE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    ...configFlag,
    ...unlockFlags,
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Doctor)
    const engine = await (await this.scope()).session.engine()
    const findings = [...(await engine.doctor())]
    if (flags.from !== undefined) findings.push(await this.#tryRepository(flags))
    if (findings.some(({ level }) => level === 'error')) this.terminal.exitCode = exitCode.failure
    if (flags.json) {
      const told = findings.map(({ level, subject, message, hint }) => ({
        level,
        subject,
        message,
        ...(hint === undefined ? {} : { hint }),
      }))
      return this.printJson({ findings: told })
    }
    const { green, yellow, red } = this.colours('stdout')
    const colour = { ok: green, warning: yellow, error: red }
    const rows = findings.map(({ level, subject, message, hint }) => [
      colour[level](level),
      safe(subject),
      safe(message) + (hint === undefined ? '' : `\n${safe(hint)}`),
    ])
    await this.print(await table([], rows))
  }

  async #tryRepository(flags: Parameters<BaseCommand['openRepository']>[0]): Promise<DoctorFinding> {
    const places = await this.places(flags)
    const subject = `repository ${places.repository ?? places.destinations.map(({ name }) => name).join(', ')}`
    try {
      const repository = await this.openRepository(flags, {}, places)
      const count = (await repository.snapshots()).length
      return { level: 'ok', subject, message: `opens, ${counted(count, 'snapshot')}` }
    } catch (error) {
      const described = describeError(error, 'doctor')
      // A passphrase that was not given at all says nothing of the machine.
      if (this.signal.aborted || described.code === 'usage') throw error
      return {
        level: 'error',
        subject,
        message: described.message,
        ...(described.hint === undefined ? {} : { hint: described.hint }),
      }
    }
  }
}

import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, unlockFlags } from '../flags/common.js'
import { entryJson, entryLine } from '../output/entries.js'
import { shortId } from '../output/text.js'

export default class Find extends BaseCommand {
  static override summary = 'Find files by name in all snapshots.'
  static override description =
    'The pattern is a glob. With a "/" it is compared with the whole path, else with the name. With --json: one line of JSON per entry.'
  static override examples = [
    "<%= config.bin %> find '*.jpg' --from /mnt/disk/backup",
    "<%= config.bin %> find '/home/ann/**/tax*' --snapshot latest --from /mnt/disk/backup",
  ]
  static override args = { pattern: Args.string({ description: 'glob', required: true }) }
  static override flags = {
    ...fromFlag,
    ...unlockFlags,
    snapshot: Flags.string({
      description: 'only in this snapshot',
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'SNAP',
    }),
    'ignore-case': Flags.boolean({ default: false, description: 'treat small and capital letters alike', char: 'i' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Find)
    const repository = await this.openToRead(flags, { loadIndex: true })
    const snapshots: string[] = []
    for (const name of flags.snapshot ?? []) snapshots.push((await repository.resolveSnapshot(name)).id)
    const wanted = snapshots.length === 0 ? {} : { snapshots }
    const options = { pattern: args.pattern, ignoreCase: flags['ignore-case'], signal: this.signal, ...wanted }
    let count = 0
    for await (const { snapshotId, entry } of repository.find(options)) {
      count++
      if (flags.json) await this.printJson({ snapshot: snapshotId, ...entryJson(entry) })
      else await this.print(`${shortId(snapshotId)}  ${entryLine(entry)}`)
    }
    if (count === 0 && !flags.json) await this.terminal.stderr.write('Nothing fits\n')
  }
}

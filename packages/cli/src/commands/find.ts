import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
import { entryJson, entryLine } from '../output/entries.js'

export default class Find extends BaseCommand {
  static override summary = 'Find files by name in all snapshots.'
  static override description =
    'The pattern is a glob. With a "/" it is compared with the whole path, else with the name.'
  static override examples = [
    "<%= config.bin %> find '*.jpg' --from /mnt/disk/backup",
    "<%= config.bin %> find '/home/ann/**/tax*' --snapshot latest --from /mnt/disk/backup",
  ]
  static override args = { pattern: Args.string({ description: 'glob', required: true }) }
  static override flags = {
    ...fromFlag,
    ...secretFlags,
    snapshot: Flags.string({ description: 'only in this snapshot', multiple: true, multipleNonGreedy: true }),
    'ignore-case': Flags.boolean({ description: 'treat small and capital letters alike', char: 'i' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Find)
    await this.withRepository(flags.from, flags, async (repository) => {
      const wanted =
        flags.snapshot === undefined
          ? undefined
          : await Promise.all(flags.snapshot.map(async (name) => (await repository.resolveSnapshot(name)).id))
      const options = {
        pattern: args.pattern,
        ignoreCase: flags['ignore-case'],
        signal: this.signal,
        ...(wanted === undefined ? {} : { snapshots: wanted }),
      }
      let count = 0
      for await (const { snapshotId, entry } of repository.find(options)) {
        count++
        if (flags.json) this.printJson({ snapshot: snapshotId, ...entryJson(entry) })
        else this.print(`${snapshotId.slice(0, 8)}  ${entryLine(entry)}`)
      }
      if (count === 0 && !flags.json) process.stderr.write('Nothing fits\n')
    })
  }
}

import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { UsageError } from '../errors/cli-error.js'
import { filterFlags, fromFlag, unlockFlags } from '../flags/common.js'
import { parseSnapshotPath, snapshotFilter } from '../flags/values.js'
import { entryJson, entryLine } from '../output/entries.js'

export default class Ls extends BaseCommand {
  static override summary = 'List what is in a snapshot.'
  static override description = 'With --json: one line of JSON per entry.'
  static override examples = [
    '<%= config.bin %> ls latest --from /mnt/disk/backup',
    '<%= config.bin %> ls latest /home/ann/photos --recursive --from /mnt/disk/backup',
  ]
  static override args = {
    snapshot: Args.string({ description: 'id of the snapshot, or "latest"', required: true }),
    path: Args.string({ description: 'folder or file inside of it' }),
  }
  static override flags = {
    ...fromFlag,
    ...unlockFlags,
    ...filterFlags,
    recursive: Flags.boolean({ default: false, description: 'with everything below', char: 'R' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Ls)
    const hasBoth = args.path !== undefined && args.snapshot.includes(':')
    if (hasBoth) throw new UsageError('Two paths were given', 'Write bkp ls SNAP PATH, or bkp ls SNAP:PATH')
    const { snapshot, path } = parseSnapshotPath(
      args.path === undefined ? args.snapshot : `${args.snapshot}:${args.path}`,
    )
    const repository = await this.openToRead(flags, { loadIndex: true })
    const { id } = await repository.resolveSnapshot(snapshot, snapshotFilter(flags))
    for await (const entry of repository.list(id, path, { recursive: flags.recursive, signal: this.signal })) {
      await (flags.json ? this.printJson(entryJson(entry)) : this.print(entryLine(entry)))
    }
  }
}

import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import type { Output } from '../composition/terminal.js'
import { UsageError } from '../errors/cli-error.js'
import { filterFlags, fromFlag, unlockFlags } from '../flags/common.js'
import { parseSnapshotPath, snapshotFilter } from '../flags/values.js'

export default class Dump extends BaseCommand {
  static override summary = 'Write one file of a snapshot to standard output.'
  static override description =
    'Standard output is the file and nothing else; with --json errors stand on standard error.'
  static override examples = [
    '<%= config.bin %> dump latest:/home/ann/letter.txt --from /mnt/disk/backup',
    '<%= config.bin %> dump latest:/db.sql --from /mnt/disk/backup | psql db',
  ]
  static override args = { file: Args.string({ description: 'SNAP:PATH', required: true }) }
  static override flags = { ...fromFlag, ...unlockFlags, ...filterFlags }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Dump)
    const { snapshot, path } = parseSnapshotPath(args.file)
    if (path === undefined) throw new UsageError('No file is named', 'Write bkp dump SNAP:/path/of/file --from URL')
    const repository = await this.openToRead(flags, { loadIndex: true })
    const { id } = await repository.resolveSnapshot(snapshot, snapshotFilter(flags))
    for await (const piece of repository.dump(id, path, { signal: this.signal }))
      await this.terminal.stdout.write(piece)
  }

  protected override get errorOutput(): Output {
    return this.terminal.stderr
  }
}

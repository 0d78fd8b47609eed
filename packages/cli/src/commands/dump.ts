import { once } from 'node:events'
import { Args, Errors } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, parseSnapshotPath, secretFlags } from '../flags/common.js'

export default class Dump extends BaseCommand {
  static override summary = 'Write one file of a snapshot to standard output.'
  static override examples = [
    '<%= config.bin %> dump latest:/home/ann/letter.txt --from /mnt/disk/backup',
    '<%= config.bin %> dump latest:/db.sql --from /mnt/disk/backup | psql db',
  ]
  static override args = { file: Args.string({ description: 'SNAP:PATH', required: true }) }
  static override flags = { ...fromFlag, ...secretFlags }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Dump)
    const { snapshot, path } = parseSnapshotPath(args.file)
    if (path === undefined)
      throw new Errors.CLIError('Name the file: bkp dump SNAP:/path/of/file --from URL', { exit: 2 })
    await this.withRepository(flags.from, flags, async (repository) => {
      const { id } = await repository.resolveSnapshot(snapshot)
      for await (const piece of repository.dump(id, path, { signal: this.signal })) {
        if (!process.stdout.write(piece)) await once(process.stdout, 'drain')
      }
    })
  }
}

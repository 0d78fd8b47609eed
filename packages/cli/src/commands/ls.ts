import type { ListedEntry } from '@bkp/core'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
import { entryJson, entryLine } from '../output/entries.js'

export default class Ls extends BaseCommand {
  static override summary = 'List what is in a snapshot.'
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
    ...secretFlags,
    recursive: Flags.boolean({ description: 'with everything below', char: 'R' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Ls)
    await this.withRepository(flags.from, flags, async (repository) => {
      const { id } = await repository.resolveSnapshot(args.snapshot)
      const path = args.path === undefined ? undefined : Buffer.from(args.path)
      const show = (entry: ListedEntry) =>
        flags.json ? this.printJson({ ...entryJson(entry) }) : this.print(entryLine(entry))
      for await (const entry of repository.list(id, path, { recursive: flags.recursive, signal: this.signal }))
        show(entry)
    })
  }
}

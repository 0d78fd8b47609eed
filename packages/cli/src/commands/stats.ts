import { BaseCommand } from '../base-command.js'
import { fromFlag, unlockFlags } from '../flags/common.js'
import { table } from '../output/table.js'
import { bytes } from '../output/text.js'

export default class Stats extends BaseCommand {
  static override summary = 'Show how much a repository holds.'
  static override examples = ['<%= config.bin %> stats --from /mnt/disk/backup']
  static override flags = { ...fromFlag, ...unlockFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Stats)
    const repository = await this.openToRead(flags)
    const { snapshots, packs, blobs, storedBytes, blobBytes, snapshotBytes } = await repository.stats({
      signal: this.signal,
    })
    if (flags.json) return this.printJson({ snapshots, packs, blobs, storedBytes, blobBytes, snapshotBytes })
    const ratio = storedBytes > 0 ? `${(snapshotBytes / storedBytes).toFixed(1)} : 1` : '-'
    const rows = [
      ['Snapshots', String(snapshots)],
      ['Packs', String(packs)],
      ['Blobs', String(blobs)],
      ['Files of all snapshots', bytes(snapshotBytes)],
      ['Without duplicates', bytes(blobBytes)],
      ['Stored', bytes(storedBytes)],
      ['Ratio of files to stored', ratio],
    ]
    await this.print(await table([], rows))
  }
}

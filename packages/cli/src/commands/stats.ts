import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
import { bytes } from '../output/text.js'

export default class Stats extends BaseCommand {
  static override summary = 'Show how much a repository holds.'
  static override examples = ['<%= config.bin %> stats --from /mnt/disk/backup']
  static override flags = { ...fromFlag, ...secretFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(Stats)
    const stats = await this.withRepository(flags.from, flags, (repository) => repository.stats())
    if (flags.json) {
      this.printJson({ ...stats })
      return
    }
    const { default: Table } = await import('cli-table3')
    const table = new Table({ style: { head: [], border: [] } })
    const saved =
      stats.snapshotBytes > 0 ? `${(stats.snapshotBytes / Math.max(1, stats.storedBytes)).toFixed(1)} : 1` : '-'
    table.push(
      ['Snapshots', stats.snapshots],
      ['Packs', stats.packs],
      ['Blobs', stats.blobs],
      ['Stored', bytes(stats.storedBytes)],
      ['Before compression', bytes(stats.blobBytes)],
      ['Files of all snapshots', bytes(stats.snapshotBytes)],
      ['Saved by deduplication and compression', saved],
    )
    this.print(table.toString())
  }
}

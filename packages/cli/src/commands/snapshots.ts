import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
import { bytes, jsonPath, localTime, safe } from '../output/text.js'

export default class Snapshots extends BaseCommand {
  static override summary = 'List the snapshots of a repository.'
  static override examples = [
    '<%= config.bin %> snapshots --from /mnt/disk/backup',
    '<%= config.bin %> snapshots --from /mnt/disk/backup --tag weekly --json',
  ]
  static override flags = {
    ...fromFlag,
    ...secretFlags,
    host: Flags.string({ description: 'only of this machine' }),
    tag: Flags.string({ description: 'only with this label' }),
    path: Flags.string({ description: 'only of this path' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Snapshots)
    const { host, tag, path } = flags
    const filter = {
      ...(host === undefined ? {} : { hostname: host }),
      ...(tag === undefined ? {} : { tag }),
      ...(path === undefined ? {} : { path }),
    }
    const found = await this.withRepository(flags.from, flags, (repository) => repository.snapshots(filter))
    if (flags.json) {
      this.printJson({ snapshots: found.map((snapshot) => ({ ...snapshot, paths: snapshot.paths.map(jsonPath) })) })
      return
    }
    if (found.length === 0) {
      this.print(`There are no snapshots. Make one: bkp backup PATH --to ${flags.from}`)
      return
    }
    const { default: Table } = await import('cli-table3')
    const table = new Table({
      head: ['ID', 'Time', 'Host', 'Size', 'Issues', 'Tags', 'Paths'],
      style: { head: [], border: [] },
    })
    for (const { id, time, hostname, stats, issueCount, tags, paths } of found) {
      table.push([
        id.slice(0, 8),
        localTime(time),
        safe(hostname),
        bytes(stats.bytes ?? 0),
        issueCount,
        safe(tags.join(' ')),
        paths.map(({ text }) => safe(text)).join('\n'),
      ])
    }
    this.print(table.toString())
  }
}

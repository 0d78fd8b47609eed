import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { filterFlags, fromFlag, unlockFlags } from '../flags/common.js'
import { placeHint } from '../flags/place-names.js'
import { snapshotFilter } from '../flags/values.js'
import { snapshotJson } from '../output/results.js'
import { table } from '../output/table.js'
import { bytes, localTime, safe, shortId } from '../output/text.js'

export default class Snapshots extends BaseCommand {
  static override summary = 'List the snapshots of a repository.'
  static override examples = [
    '<%= config.bin %> snapshots --from /mnt/disk/backup',
    '<%= config.bin %> snapshots --from /mnt/disk/backup --tag weekly --json',
  ]
  static override flags = {
    ...fromFlag,
    ...unlockFlags,
    ...filterFlags,
    path: Flags.string({ description: 'only snapshots of this path', helpValue: 'PATH' }),
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Snapshots)
    const places = await this.places(flags)
    const repository = await this.openToRead(flags, {}, places)
    const found = await repository.snapshots(snapshotFilter(flags))
    if (flags.json) return this.printJson({ snapshots: found.map(snapshotJson) })
    if (found.length === 0) {
      const isAll = flags.host === undefined && flags.tag === undefined && flags.path === undefined
      const hint = isAll ? ` Make one: bkp backup PATH ${placeHint('--to', places, repository.absent)}` : ''
      return this.print(`There are no ${isAll ? '' : 'such '}snapshots.${hint}`)
    }
    const rows = found.map(({ id, time, hostname, stats, issueCount, tags, paths }) => [
      shortId(id),
      localTime(new Date(time)),
      safe(hostname),
      bytes(stats.bytes ?? 0),
      String(issueCount),
      safe(tags.join(' ')),
      paths.map(({ text }) => safe(text)).join('\n'),
    ])
    await this.print(await table(['ID', 'TIME', 'HOST', 'SIZE', 'ISSUES', 'TAGS', 'PATHS'], rows))
  }
}

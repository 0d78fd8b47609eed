import type { DiffEntry } from '@bkp/core'
import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { filterFlags, fromFlag, unlockFlags } from '../flags/common.js'
import { snapshotFilter } from '../flags/values.js'
import { entryJson } from '../output/entries.js'
import { jsonPath, safe } from '../output/text.js'

const marks: Readonly<Record<DiffEntry['change'], string>> = {
  added: '+',
  removed: '-',
  content: 'M',
  metadata: 'U',
  kind: 'T',
}

export default class Diff extends BaseCommand {
  static override summary = 'Show what differs between two snapshots.'
  static override description =
    'Marks: + added, - removed, M content changed, U metadata changed, T became something else. With --json: one line of JSON per difference.'
  static override examples = ['<%= config.bin %> diff 1a2b3c4d latest --from /mnt/disk/backup']
  static override args = {
    before: Args.string({ description: 'the older snapshot', required: true }),
    after: Args.string({ description: 'the newer snapshot', required: true }),
  }
  static override flags = { ...fromFlag, ...unlockFlags, ...filterFlags }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Diff)
    const repository = await this.openToRead(flags, { loadIndex: true })
    const before = await repository.resolveSnapshot(args.before, snapshotFilter(flags))
    const after = await repository.resolveSnapshot(args.after, snapshotFilter(flags))
    for await (const entry of repository.diff(before.id, after.id, { signal: this.signal })) {
      if (flags.json) await this.printJson(diffJson(entry))
      else await this.print(`${marks[entry.change]}  ${safe(entry.path.text)}`)
    }
  }
}

function diffJson({ change, path, before, after }: DiffEntry): Readonly<Record<string, unknown>> {
  return {
    change,
    ...jsonPath(path),
    ...(before === undefined ? {} : { before: entryJson(before) }),
    ...(after === undefined ? {} : { after: entryJson(after) }),
  }
}

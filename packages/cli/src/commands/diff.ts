import type { DiffEntry } from '@bkp/core'
import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
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
    'Marks: + added, - removed, M content changed, U metadata changed, T became something else.'
  static override examples = ['<%= config.bin %> diff 1a2b3c4d latest --from /mnt/disk/backup']
  static override args = {
    before: Args.string({ description: 'the older snapshot', required: true }),
    after: Args.string({ description: 'the newer snapshot', required: true }),
  }
  static override flags = { ...fromFlag, ...secretFlags }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Diff)
    await this.withRepository(flags.from, flags, async (repository) => {
      const before = await repository.resolveSnapshot(args.before)
      const after = await repository.resolveSnapshot(args.after)
      for await (const entry of repository.diff(before.id, after.id, { signal: this.signal })) {
        if (!flags.json) this.print(`${marks[entry.change]}  ${safe(entry.path.text)}`)
        else {
          const sides = {
            before: entry.before && entryJson(entry.before),
            after: entry.after && entryJson(entry.after),
          }
          this.printJson({ change: entry.change, ...jsonPath(entry.path), ...sides })
        }
      }
    })
  }
}

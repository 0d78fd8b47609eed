import { resolve } from 'node:path'
import type { OverwriteMode, RestoreResult } from '@bkp/core'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { fromFlag, parseSnapshotPath, secretFlags } from '../flags/common.js'
import { exitCode } from '../output/exit-codes.js'
import { ProgressLine } from '../output/progress.js'
import { bytes, duration, jsonPath } from '../output/text.js'

const modes = ['always', 'if-changed', 'never'] as const

export default class Restore extends BaseCommand {
  static override summary = 'Write a snapshot, or a part of it, into a folder.'
  static override description =
    'A whole snapshot keeps its paths below the target folder; SNAP:PATH puts the content of that folder straight into it. Exit code 13: some data are damaged, the rest was written.'
  static override examples = [
    '<%= config.bin %> restore latest --from /mnt/disk/backup --target /tmp/restored',
    '<%= config.bin %> restore latest:/home/ann --from /mnt/disk/backup --target /home/ann --overwrite if-changed',
    "<%= config.bin %> restore 1a2b3c4d --include '*.jpg' --from /mnt/disk/backup --target /tmp/photos --verify",
  ]
  static override args = {
    snapshot: Args.string({ description: 'SNAP or SNAP:PATH; SNAP is an id or "latest"', required: true }),
  }
  static override flags = {
    ...fromFlag,
    ...secretFlags,
    target: Flags.string({ description: 'folder to write into', required: true, helpValue: 'DIR' }),
    include: Flags.string({
      description: 'only what fits a gitignore pattern',
      multiple: true,
      multipleNonGreedy: true,
    }),
    exclude: Flags.string({
      description: 'all but what fits a gitignore pattern',
      multiple: true,
      multipleNonGreedy: true,
    }),
    overwrite: Flags.string({
      description: 'what to do with files that are there',
      options: [...modes],
      default: 'always',
    }),
    delete: Flags.boolean({ description: 'remove what is in the target and not in the snapshot' }),
    'dry-run': Flags.boolean({ description: 'write nothing, tell what would be written' }),
    verify: Flags.boolean({ description: 'read everything back and compare' }),
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Restore)
    const { snapshot, path } = parseSnapshotPath(args.snapshot)
    const progress = new ProgressLine(flags.json)
    const result = await this.withRepository(flags.from, flags, async (repository) => {
      const { id } = await repository.resolveSnapshot(snapshot)
      return repository.restore({
        snapshotId: id,
        ...(path === undefined ? {} : { path }),
        target: resolve(flags.target),
        include: flags.include ?? [],
        exclude: flags.exclude ?? [],
        overwrite: flags.overwrite as OverwriteMode,
        delete: flags.delete,
        dryRun: flags['dry-run'],
        verify: flags.verify,
        signal: this.signal,
        onEvent: progress.onEvent,
      })
    })
    progress.clear()
    if (flags.json)
      this.printJson({
        ...result,
        issues: result.issues.map(({ kind, path: at, message }) => ({ kind, ...jsonPath(at), message })),
      })
    else this.#tell(result, resolve(flags.target), flags['dry-run'])
    if (result.damaged > 0) process.exitCode = exitCode.damaged
    else if (result.issues.length > 0) process.exitCode = exitCode.incomplete
  }

  #tell(result: RestoreResult, target: string, isDry: boolean): void {
    const { files, directories, others, skipped, deleted, verified, damaged, issues, elapsedMs } = result
    const extras = [
      skipped > 0 ? `${skipped} left as they were` : '',
      deleted > 0 ? `${deleted} deleted` : '',
      verified > 0 ? `${verified} verified` : '',
    ]
    const what = [
      `${files} files (${bytes(result.bytes)})`,
      `${directories} folders`,
      `${others} others`,
      ...extras.filter((text) => text !== ''),
    ]
    this.print(`${isDry ? 'Would restore' : 'Restored'} ${what.join(', ')} to ${target} in ${duration(elapsedMs)}`)
    if (damaged > 0)
      this.print(`${damaged} could not be restored: their data are damaged. See what is: bkp check --read-data`)
    else if (issues.length > 0) this.print(`${issues.length} issues: not everything is as it was`)
  }
}

import { resolve } from 'node:path'
import type { OverwriteMode, RestoreResult } from '@bkp/core'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { UsageError } from '../errors/cli-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { filterFlags, fromFlag, limitFlags, progressFlag, unlockFlags } from '../flags/common.js'
import { parseSnapshotPath, snapshotFilter } from '../flags/values.js'
import { restoreJson } from '../output/results.js'
import { bytes, counted, duration, safe } from '../output/text.js'

const modes = ['always', 'if-changed', 'never'] as const
const repeatable = { multiple: true, multipleNonGreedy: true, helpGroup: 'SELECTION', helpValue: 'PATTERN' } as const

export default class Restore extends BaseCommand {
  static override summary = 'Write a snapshot, or a part of it, into a folder.'
  static override description =
    'A whole snapshot keeps its paths below the target folder; SNAP:PATH puts the content of that folder straight into it. Exit code 3: something could not be set as it was. Exit code 13: some data are damaged; the rest was written.'
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
    ...unlockFlags,
    ...filterFlags,
    ...progressFlag,
    ...limitFlags,
    target: Flags.string({ description: 'folder to write into', required: true, helpValue: 'DIR' }),
    include: Flags.string({ description: 'only what fits a gitignore pattern', ...repeatable }),
    exclude: Flags.string({ description: 'all but what fits a gitignore pattern', ...repeatable }),
    overwrite: Flags.string({
      description: 'what to do with files that are there',
      options: [...modes],
      default: 'always',
    }),
    delete: Flags.boolean({
      default: false,
      description: 'remove what is in the restored folders and not in the snapshot',
    }),
    'dry-run': Flags.boolean({ default: false, description: 'write nothing, tell what would be written' }),
    verify: Flags.boolean({ default: false, description: 'read everything back and compare' }),
    fsync: Flags.boolean({
      default: false,
      description: 'wait until all is on the disk; always so with --verify or a target that was not empty',
    }),
  }

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags, args } = await this.parse(Restore)
    const { snapshot, path } = parseSnapshotPath(args.snapshot)
    if (flags.target === '') throw new UsageError('--target is empty', 'Name the folder to write into')
    const target = resolve(flags.target)
    const repository = await this.openToRead(flags, { startThreads: true, loadIndex: true })
    const found = await repository.resolveSnapshot(snapshot, snapshotFilter(flags))
    const progress = await this.startProgress(flags)
    const result = await repository.restore({
      snapshotId: found.id,
      ...(path === undefined ? {} : { path }),
      target,
      include: flags.include ?? [],
      exclude: flags.exclude ?? [],
      overwrite: flags.overwrite as OverwriteMode,
      delete: flags.delete,
      dryRun: flags['dry-run'],
      verify: flags.verify,
      fsync: flags.fsync,
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    if (result.damaged > 0) this.terminal.exitCode = exitCode.damaged
    else if (result.issues.length > 0) this.terminal.exitCode = exitCode.incomplete
    await this.tellResult(flags, restoreJson(result, target), this.#summaryOf(result, target, flags['dry-run']))
  }

  #summaryOf(result: RestoreResult, target: string, isDry: boolean): string[] {
    const { files, directories, others, skipped, deleted, verified, damaged, issues, elapsedMs } = result
    const what = [`${counted(files, 'file')} (${bytes(result.bytes)})`, counted(directories, 'folder')]
    if (others > 0) what.push(counted(others, 'other'))
    if (skipped > 0) what.push(`${skipped} left as they were`)
    if (deleted > 0) what.push(`${deleted} deleted`)
    if (verified > 0) what.push(`${verified} verified`)
    const lines = [
      `${isDry ? 'Would restore' : 'Restored'} ${what.join(', ')} to ${safe(target)} in ${duration(elapsedMs)}`,
    ]
    if (damaged > 0)
      lines.push(
        `${damaged} could not be restored: their data are damaged. See what is: bkp check ${this.fromHint} --read-data`,
      )
    else if (issues.length > 0) lines.push(`${counted(issues.length, 'issue')}: not everything is as it was, see above`)
    return lines
  }
}

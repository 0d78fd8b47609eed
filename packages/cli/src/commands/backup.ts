import { hostname, userInfo } from 'node:os'
import type { BackupResult } from '@bkp/core'
import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { exitCode } from '../errors/exit-codes.js'
import { backupFlags } from '../flags/backup-flags.js'
import { chooseCompression } from '../flags/compression.js'
import { placeHint, syncHint } from '../flags/place-names.js'
import type { Places } from '../flags/places.js'
import { readPatternFiles, sourceOfFlags, whatToBackUp } from '../flags/sources.js'
import { parseSize } from '../flags/values.js'
import { isShort, outcomeLine } from '../output/destinations.js'
import { backupJson } from '../output/results.js'
import { bytes, counted, duration, shortId } from '../output/text.js'

export default class Backup extends BaseCommand {
  static override summary = 'Make a snapshot of files and folders.'
  static override description =
    'Reads what changed since the last snapshot of the same paths, and stores what the repository does not have yet. "-" backs up standard input; the name of a job of the configuration, where there is no such path, runs that job. A path given here must be UTF-8; names below it may be any bytes. With several --to, or a repository of the configuration, it goes to all of them in one pass. Exit code 3: the snapshot was made, but something could not be read; 4: it was made, but not every destination has it, and the next run or "bkp sync" brings those up.'
  static override examples = [
    '<%= config.bin %> backup /home/ann --to /mnt/disk/backup',
    "<%= config.bin %> backup ~/documents --to /mnt/disk/backup --exclude '*.tmp' --exclude node_modules/ --tag weekly",
    "<%= config.bin %> backup --from-command 'pg_dump db' --stdin-name db.sql --to /mnt/disk/backup",
    '<%= config.bin %> backup documents',
    '<%= config.bin %> backup ~/documents --to /mnt/disk/backup --to sftp://nas/backup --to b2://bucket/backup',
    {
      description: 'Standard input:',
      command: 'tar c . | <%= config.bin %> backup - --stdin-name site.tar --to /mnt/disk/backup',
    },
  ]
  static override strict = false
  static override args = { path: Args.string({ description: 'files and folders; "-" for standard input; or a job' }) }
  static override flags = backupFlags

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Backup)
    const { jobs, session } = await this.scope()
    const job = await jobs.find(argv as string[], flags)
    if (job !== undefined) this.noteJob(job)
    // Flags go before the job, list by list: what is given replaces what the job says.
    const what = await whatToBackUp(
      job?.paths ?? (argv as string[]),
      job?.command === undefined
        ? { ...flags, source: sourceOfFlags(flags.source, flags['source-option']) ?? job?.source }
        : { 'from-command': job.command, 'stdin-name': flags['stdin-name'] ?? job.name },
    )
    const excludes =
      flags.exclude === undefined && flags['exclude-file'] === undefined && job !== undefined
        ? [...job.excludes, ...(await readPatternFiles(job.excludeFiles))]
        : [...(flags.exclude ?? []), ...(await readPatternFiles(flags['exclude-file'] ?? []))]
    const largest = flags['exclude-larger-than']
    const largestBytes = largest === undefined ? job?.excludeLargerThanBytes : await parseSize(largest)
    const selection = {
      ...what,
      excludes,
      excludeCaches: flags['exclude-caches'] ?? job?.excludeCaches ?? false,
      oneFileSystem: flags['one-file-system'] ?? job?.oneFileSystem ?? false,
    }
    const places = await this.places(flags, job?.repository)
    const configured = job?.compression ?? places.compression
    // While the passphrase is checked. A codec that fails is told of after that, when there is something to close.
    const choosing = session
      .engine()
      .then((engine) => chooseCompression(engine, flags, configured, (message) => this.warnPeople(message)))
    choosing.catch(() => undefined)
    const opening = { startThreads: true, readAhead: selection, useCache: !flags['no-cache'] }
    const repository = await this.openRepository(flags, opening, places)
    const compression = await choosing
    const parent = flags.parent === undefined ? {} : { parent: (await repository.resolveSnapshot(flags.parent)).id }
    const progress = await this.startProgress(flags)
    const result = await repository.backup({
      ...selection,
      ...(largestBytes === undefined ? {} : { excludeLargerThanBytes: largestBytes }),
      ...parent,
      tags: flags.tag ?? job?.tags ?? [],
      force: flags.force,
      dryRun: flags['dry-run'],
      hostname: flags.host ?? job?.host ?? hostname(),
      username: currentUser(),
      program: `bkp ${this.config.version}`,
      compression,
      cipher: flags.cipher ?? places.cipher ?? 'aes-256-gcm',
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    // Before anything is printed: the reader of the output may be gone.
    if (result.snapshotId !== undefined && isShort(result.destinations, places))
      this.terminal.exitCode = exitCode.notEverywhere
    if (issueCount(result) > 0) this.terminal.exitCode = exitCode.incomplete
    await this.tellResult(flags, backupJson(result), summaryOf(result, places))
  }
}

function issueCount({ stats, issues }: BackupResult): number {
  return Math.max(stats.errors, issues.length)
}

function summaryOf(result: BackupResult, places: Places): string[] {
  const { snapshotId, stats, elapsedMs } = result
  const changes = `${stats.filesNew} new, ${stats.filesChanged} changed, ${stats.filesUnchanged} unchanged`
  const others = stats.others === 0 ? '' : `, ${counted(stats.others, 'other')}`
  const stored = snapshotId === undefined ? 'would be stored' : 'stored'
  const lines = [
    `${counted(stats.files, 'file')}: ${changes}; ${counted(stats.directories, 'folder')}${others}`,
    `${bytes(stats.bytes)} in all, ${bytes(stats.newBytes)} new, ${bytes(stats.storedBytes)} ${stored}, in ${duration(elapsedMs)}`,
  ]
  const issues = issueCount(result)
  if (issues > 0)
    lines.push(`${counted(issues, 'issue')}: what is named above is not in this snapshot, or not as it is now`)
  if (snapshotId === undefined) return [...lines, 'Dry run: nothing was written']
  if (result.destinations.length > 1) lines.push(...result.destinations.map(outcomeLine))
  const without = result.destinations.filter(({ state }) => state !== 'complete')
  const lagging = result.destinations.filter(({ state }) => state === 'lagging')
  if (lagging.length > 0) lines.push(`Bring up what lags by: ${syncHint(places, lagging)}`)
  const id = shortId(snapshotId)
  return [...lines, `Snapshot ${id}`, `Next: bkp restore ${id} ${placeHint('--from', places, without)} --target FOLDER`]
}

function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user id may have no name.
    return String(process.getuid?.() ?? '')
  }
}

import { hostname, userInfo } from 'node:os'
import type { BackupResult, CodecChoice, Engine } from '@bkp/core'
import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { UsageError } from '../errors/cli-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { backupFlags } from '../flags/backup-flags.js'
import { readPatternFiles, whatToBackUp } from '../flags/sources.js'
import { parseSize, singleDestination } from '../flags/values.js'
import { backupJson } from '../output/results.js'
import { bytes, counted, duration, quoted, safe, shortId } from '../output/text.js'

export default class Backup extends BaseCommand {
  static override summary = 'Make a snapshot of files and folders.'
  static override description =
    'Reads what changed since the last snapshot of the same paths, and stores what the repository does not have yet. "-" backs up standard input. A path given here must be UTF-8; names below it may be any bytes. Exit code 3: the snapshot was made, but something could not be read.'
  static override examples = [
    '<%= config.bin %> backup /home/ann --to /mnt/disk/backup',
    "<%= config.bin %> backup ~/documents --to /mnt/disk/backup --exclude '*.tmp' --exclude node_modules/ --tag weekly",
    "<%= config.bin %> backup --from-command 'pg_dump db' --stdin-name db.sql --to /mnt/disk/backup",
    {
      description: 'Standard input:',
      command: 'tar c . | <%= config.bin %> backup - --stdin-name site.tar --to /mnt/disk/backup',
    },
  ]
  static override strict = false
  static override args = { path: Args.string({ description: 'files and folders; "-" for standard input' }) }
  static override flags = backupFlags

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Backup)
    const url = singleDestination(flags.to, this.terminal.env)
    const what = await whatToBackUp(argv as string[], flags)
    const excludes = [...(flags.exclude ?? []), ...(await readPatternFiles(flags['exclude-file'] ?? []))]
    const largest = flags['exclude-larger-than']
    const limit = largest === undefined ? {} : { excludeLargerThanBytes: parseSize(largest) }
    const selection = {
      ...what,
      excludes,
      excludeCaches: flags['exclude-caches'],
      oneFileSystem: flags['one-file-system'],
    }
    const repository = await this.openRepository(url, flags, { startThreads: true, readAhead: selection })
    const engine = await (await this.scope()).session.engine()
    const compression = await this.#compression(engine, flags.compression, flags['compression-level'])
    const parent = flags.parent === undefined ? {} : { parent: (await repository.resolveSnapshot(flags.parent)).id }
    const progress = await this.startProgress(flags)
    const result = await repository.backup({
      ...selection,
      ...limit,
      ...parent,
      tags: flags.tag ?? [],
      force: flags.force,
      dryRun: flags['dry-run'],
      hostname: flags.host ?? hostname(),
      username: currentUser(),
      program: `bkp ${this.config.version}`,
      compression,
      cipher: flags.cipher,
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    // Before anything is printed: the reader of the output may be gone.
    if (issueCount(result) > 0) this.terminal.exitCode = exitCode.incomplete
    if (flags.json) await this.printJson(backupJson(result))
    else await this.print(summaryOf(result, url).join('\n'))
  }

  async #compression(engine: Engine, wanted: string | undefined, level: number | undefined): Promise<CodecChoice> {
    if (wanted === 'none' && level !== undefined) {
      throw new UsageError('--compression none has no level', 'Leave out --compression-level')
    }
    const id = wanted ?? (await engine.availableCompression(['zstd', 'deflate']))
    if (wanted === undefined && id !== 'zstd')
      this.warnPeople(`zstd does not work here, so "${id}" is used; see: bkp doctor`)
    return { id, configuration: level === undefined ? {} : { level } }
  }
}

function issueCount({ stats, issues }: BackupResult): number {
  return Math.max(stats.errors, issues.length)
}

function summaryOf(result: BackupResult, url: string): string[] {
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
  const id = shortId(snapshotId)
  return [...lines, `Snapshot ${id}`, `Next: bkp restore ${id} --from ${safe(quoted(url))} --target FOLDER`]
}

function currentUser(): string {
  try {
    return userInfo().username
  } catch {
    // In a container the user id may have no name.
    return String(process.getuid?.() ?? '')
  }
}

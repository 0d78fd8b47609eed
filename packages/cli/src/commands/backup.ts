import { lstat, readFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { resolve } from 'node:path'
import type { BackupResult, Engine } from '@bkp/core'
import { Args, Errors, Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { parseSize, secretFlags, singleDestination, toFlag } from '../flags/common.js'
import { exitCode } from '../output/exit-codes.js'
import { ProgressLine } from '../output/progress.js'
import { bytes, duration, jsonPath, safe } from '../output/text.js'

export default class Backup extends BaseCommand {
  static override summary = 'Make a snapshot of files and folders.'
  static override description =
    'Reads what changed since the last snapshot of the same paths, and stores what the repository does not have yet. "-" backs up standard input. Exit code 3: the snapshot was made, but something could not be read.'
  static override examples = [
    '<%= config.bin %> backup /home/ann --to /mnt/disk/backup',
    "<%= config.bin %> backup ~/documents --to /mnt/disk/backup --exclude '*.tmp' --exclude node_modules/ --tag weekly",
    "<%= config.bin %> backup --from-command 'pg_dump db' --stdin-name db.sql --to /mnt/disk/backup",
    'tar c . | <%= config.bin %> backup - --stdin-name site.tar --to /mnt/disk/backup',
  ]
  static override strict = false
  static override args = { path: Args.string({ description: 'files and folders; "-" for standard input' }) }
  static override flags = {
    ...toFlag,
    ...secretFlags,
    tag: Flags.string({ description: 'label of the snapshot', multiple: true, multipleNonGreedy: true }),
    host: Flags.string({ description: 'name of the machine in the snapshot (default: its host name)' }),
    exclude: Flags.string({
      description: 'leave out what fits a gitignore pattern',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'SELECTION',
    }),
    'exclude-file': Flags.string({
      description: 'read such patterns from a file',
      multiple: true,
      multipleNonGreedy: true,
      helpGroup: 'SELECTION',
    }),
    'exclude-caches': Flags.boolean({
      description: 'leave out the content of folders with a CACHEDIR.TAG',
      helpGroup: 'SELECTION',
    }),
    'exclude-larger-than': Flags.string({
      description: 'leave out files above a size, e.g. 500M',
      helpGroup: 'SELECTION',
    }),
    'one-file-system': Flags.boolean({ description: 'do not enter other file systems', helpGroup: 'SELECTION' }),
    force: Flags.boolean({ description: 'read every file, also those that look unchanged' }),
    'dry-run': Flags.boolean({ description: 'do everything but write' }),
    parent: Flags.string({ description: 'snapshot to compare with' }),
    'from-command': Flags.string({ description: 'back up what a program prints; fails when the program fails' }),
    'stdin-name': Flags.string({ description: 'file name for standard input or a program', default: 'stdin' }),
    compression: Flags.string({
      description: 'how to compress (default: zstd where it works)',
      options: ['zstd', 'deflate', 'none'],
    }),
    'compression-level': Flags.integer({ description: 'level of the compression', min: 1, max: 19 }),
    cipher: Flags.string({
      description: 'how to encrypt',
      options: ['aes-256-gcm', 'xchacha20-poly1305'],
      default: 'aes-256-gcm',
    }),
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Backup)
    const url = singleDestination(flags.to)
    const source = await this.#source(argv as string[], flags['from-command'], flags['stdin-name'])
    const excludes = [...(flags.exclude ?? []), ...(await readPatterns(flags['exclude-file'] ?? []))]
    const larger = flags['exclude-larger-than']
    const progress = new ProgressLine(flags.json)
    const result = await this.withRepository(url, flags, async (repository, engine) =>
      repository.backup({
        ...source,
        tags: flags.tag ?? [],
        excludes,
        excludeCaches: flags['exclude-caches'],
        oneFileSystem: flags['one-file-system'],
        ...(larger === undefined ? {} : { excludeLargerThanBytes: parseSize(larger) }),
        force: flags.force,
        dryRun: flags['dry-run'],
        hostname: flags.host ?? hostname(),
        username: userInfo().username,
        program: `bkp ${this.config.version}`,
        compression: await chooseCompression(engine, flags.compression, flags['compression-level']),
        cipher: flags.cipher,
        ...(flags.parent === undefined ? {} : { parent: (await repository.resolveSnapshot(flags.parent)).id }),
        signal: this.signal,
        onEvent: progress.onEvent,
      }),
    )
    progress.clear()
    if (flags.json) this.#printResult(result)
    else this.#tell(result, url)
    if (result.issues.length > 0) process.exitCode = exitCode.incomplete
  }

  async #source(paths: readonly string[], command: string | undefined, name: string) {
    if (command !== undefined) {
      if (paths.length > 0) throw new Errors.CLIError('Give paths or --from-command, not both', { exit: 2 })
      return { source: { id: 'command', configuration: { command, name } }, paths: [Buffer.from(`/${name}`)] }
    }
    if (paths.length === 0) throw new Errors.CLIError('Name what to back up: bkp backup PATH --to URL', { exit: 2 })
    if (paths.includes('-')) {
      if (paths.length > 1)
        throw new Errors.CLIError('"-" (standard input) cannot be combined with other paths', { exit: 2 })
      return { source: { id: 'stdin', configuration: { name } }, paths: [Buffer.from(`/${name}`)] }
    }
    const absolute = paths.map((path) => resolve(path))
    const found = await Promise.all(
      absolute.map((path) =>
        lstat(path).then(
          () => true,
          () => false,
        ),
      ),
    )
    if (!found.includes(true)) throw new Errors.CLIError(`There is no ${absolute.map(safe).join(', ')}`, { exit: 2 })
    return { source: { id: 'fs', configuration: {} }, paths: absolute.map((path) => Buffer.from(path)) }
  }

  #printResult(result: BackupResult): void {
    const { snapshotId, parentId, stats, issues, elapsedMs } = result
    this.printJson({
      snapshot: snapshotId ?? null,
      parent: parentId ?? null,
      stats,
      issues: issues.map(({ kind, path, message }) => ({ kind, ...jsonPath(path), message })),
      elapsedMs,
    })
  }

  #tell({ snapshotId, stats, issues, elapsedMs }: BackupResult, url: string): void {
    this.print(
      `${stats.files} files: ${stats.filesNew} new, ${stats.filesChanged} changed, ${stats.filesUnchanged} unchanged; ${stats.directories} folders, ${stats.others} others`,
    )
    this.print(
      `${bytes(stats.bytes)} in all, ${bytes(stats.newBytes)} new, ${bytes(stats.storedBytes)} stored, in ${duration(elapsedMs)}`,
    )
    if (issues.length > 0) this.print(`${issues.length} issues: this snapshot is not complete`)
    if (snapshotId === undefined) this.print('Dry run: nothing was written')
    else {
      this.print(`Snapshot ${snapshotId.slice(0, 8)}`)
      this.print(`Next: bkp restore ${snapshotId.slice(0, 8)} --from ${url} --target FOLDER`)
    }
  }
}

async function chooseCompression(engine: Engine, wanted: string | undefined, level: number | undefined) {
  const id = wanted ?? (await engine.availableCompression(['zstd', 'deflate']))
  if (wanted === undefined && id !== 'zstd') {
    process.stderr.write(`zstd is not available here, so ${id} is used; see: bkp doctor\n`)
  }
  return { id, configuration: level === undefined ? {} : { level } }
}

async function readPatterns(files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(
    files.map((file) =>
      readFile(file, 'utf8').catch((error: Error) => {
        throw new Errors.CLIError(`The exclude file cannot be read: ${error.message}`, { exit: 2 })
      }),
    ),
  )
  return texts.flatMap((text) => text.split(/\r?\n/)).filter((line) => line !== '' && !line.startsWith('#'))
}

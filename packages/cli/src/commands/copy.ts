import type { Repository, SnapshotCopy, SnapshotCopyResult } from '@bkp/core'
import { Args } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { UsageError } from '../errors/cli-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { chooseCompression } from '../flags/compression.js'
import { copyFlags } from '../flags/copy-flags.js'
import type { Places } from '../flags/places.js'
import { snapshotFilter } from '../flags/values.js'
import { isShort, outcomeLine } from '../output/destinations.js'
import { copyJson } from '../output/results.js'
import { bytes, counted, duration, localTime, safe, shortId } from '../output/text.js'

const mostFaultsShown = 10

export default class Copy extends BaseCommand {
  static override summary = 'Copy snapshots into another repository.'
  static override description =
    'Seals them anew with the keys, the compression and the cipher of the target, and stores there only what it does not have yet. The files that were backed up are not read. Without SNAPSHOT all snapshots that fit the filters are copied, the oldest first; what was copied before is left as it is. Exit code 13: a snapshot is damaged, so it was not copied; the others were. Exit code 4: not every destination of the target has it all.'
  static override examples = [
    '<%= config.bin %> copy --from /mnt/disk/backup --to /mnt/other/backup',
    '<%= config.bin %> copy latest --from /mnt/disk/backup --to /mnt/other/backup --compression zstd --compression-level 9',
    {
      description: 'Both passphrases from files:',
      command:
        '<%= config.bin %> copy --from /mnt/disk/backup --password-file old.txt --to /mnt/other/backup --to-password-file new.txt --host nas',
    },
  ]
  static override strict = false
  static override args = {
    snapshot: Args.string({ description: 'snapshots, by id or "latest" (default: all that fit)' }),
  }
  static override flags = copyFlags

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(Copy)
    const { to, ...rest } = flags
    if (to === undefined) throw new UsageError('--to is missing', 'Name the repository to copy into: --to PLACE')
    const places = await this.places(rest)
    const targets = await this.places({ ...rest, from: to })
    const { secrets, session } = await this.scope()
    // Both before anything is opened, so that nobody has to wait for the second question.
    const unlock = await secrets.readUnlock(flags, places.password)
    const targetUnlock = await secrets.readTargetUnlock(flags, targets.password)
    const from = await session.openRepository(places.destinations, unlock)
    const target = await session.openRepository(targets.destinations, targetUnlock, { startThreads: true })
    const engine = await session.engine()
    const warn = (message: string) => this.warnPeople(message)
    const compression = await chooseCompression(engine, flags, targets.compression, warn)
    const snapshots = await this.#chosen(from, argv as string[], flags)
    const progress = await this.startProgress(flags, 'blob')
    const result = await from.copyTo(target, {
      ...(snapshots === undefined ? {} : { snapshots }),
      compression,
      cipher: flags.cipher ?? targets.cipher ?? 'aes-256-gcm',
      program: `bkp ${this.config.version}`,
      dryRun: flags['dry-run'],
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    // Before anything is printed: the reader of the output may be gone.
    this.terminal.exitCode = exitCodeOf(result, targets)
    await this.tellResult(flags, copyJson(result), this.#reportOf(result, flags['dry-run'] ? 'dry run' : 'done'))
  }

  /** @returns undefined for all there are */
  async #chosen(
    from: Repository,
    references: readonly string[],
    flags: Parameters<typeof snapshotFilter>[0],
  ): Promise<readonly string[] | undefined> {
    const filter = snapshotFilter(flags)
    if (references.length > 0) {
      const found = await Promise.all(references.map((reference) => from.resolveSnapshot(reference, filter)))
      return found.map(({ id }) => id)
    }
    if (Object.keys(filter).length === 0) return undefined
    return (await from.snapshots(filter)).map(({ id }) => id)
  }

  #reportOf(
    { snapshots, broken, stats, destinations, elapsedMs }: SnapshotCopyResult,
    mode: 'dry run' | 'done',
  ): string[] {
    const { red } = this.colours('stdout')
    const lines = snapshots.filter(({ state }) => state !== 'present').flatMap((copy) => linesOf(copy, red))
    for (const { key, message } of broken) lines.push(`${red('damaged')}  ${safe(key)}: ${safe(message)}`)
    const count = (wanted: SnapshotCopy['state']) => snapshots.filter(({ state }) => state === wanted).length
    const [present, damaged] = [count('present'), count('damaged') + broken.length]
    const done =
      mode === 'dry run'
        ? `${counted(count('planned'), 'snapshot')} would be copied`
        : `${counted(count('copied'), 'snapshot')} copied`
    const others = [
      ...(present === 0 ? [] : [`${present} there already`]),
      ...(damaged === 0 ? [] : [`${damaged} damaged and left out`]),
    ]
    lines.push([done, ...others].join(', '))
    const read = `${counted(stats.blobsRead, 'blob')} (${bytes(stats.bytesRead)})`
    if (mode === 'dry run') lines.push(`At most ${read} would be read`, 'Dry run: nothing was written')
    else
      lines.push(
        `${read} read, ${bytes(stats.newBytes)} new, ${bytes(stats.storedBytes)} stored, in ${duration(elapsedMs)}`,
      )
    if (destinations.length > 1) lines.push(...destinations.map(outcomeLine))
    return lines
  }
}

function linesOf(
  { sourceId, targetId, time, hostname, state, faults }: SnapshotCopy,
  red: (text: string) => string,
): string[] {
  const which = `${shortId(sourceId)}  ${localTime(new Date(time))}  ${safe(hostname)}`
  if (state !== 'damaged') return [targetId === undefined ? which : `${which}  as ${shortId(targetId)}`]
  const shown = faults
    .slice(0, mostFaultsShown)
    .map(({ path, message }) => `         ${safe(path.text)}: ${safe(message)}`)
  const more = faults.length - shown.length
  return [
    `${red('damaged')}  ${which}`,
    ...shown,
    ...(more > 0 ? [`         and ${more} more; see them with --json`] : []),
  ]
}

function exitCodeOf({ snapshots, broken, destinations }: SnapshotCopyResult, targets: Places): number {
  if (broken.length > 0 || snapshots.some(({ state }) => state === 'damaged')) return exitCode.damaged
  return isShort(destinations, targets) ? exitCode.notEverywhere : exitCode.success
}

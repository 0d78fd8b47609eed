import type { SyncResult } from '@bkp/core'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { UsageError } from '../errors/cli-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { configFlag, limitFlags, placeFlag, progressFlag } from '../flags/common.js'
import { syncJson } from '../output/results.js'
import { bytes, counted, duration, safe } from '../output/text.js'

export default class Sync extends BaseCommand {
  static override summary = 'Bring destinations of a repository up from the others.'
  static override description =
    'Copies the objects that a destination lacks, byte for byte, from those that have them. Needs no passphrase, reads no sources, removes nothing, and goes on where it was broken off. With --from alone all destinations are brought up from each other; --to names the ones to bring up, and makes a replica where nothing is yet. Exit code 4: a destination still lags; 13: objects are sound nowhere.'
  static override examples = [
    '<%= config.bin %> sync --from home',
    '<%= config.bin %> sync --from /mnt/disk/backup --to sftp://nas/backup',
    '<%= config.bin %> sync --from /mnt/disk/backup --to sftp://nas/backup --dry-run --json',
  ]
  static override flags = {
    from: placeFlag('replicas that are read from'),
    to: placeFlag('destinations to bring up (default: those of --from)'),
    ...configFlag,
    ...limitFlags,
    ...progressFlag,
    'dry-run': Flags.boolean({ default: false, description: 'only say what would be copied' }),
  }

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Sync)
    const { to, ...rest } = flags
    const from = await this.places(rest)
    const targets = to === undefined ? from : await this.places({ ...rest, from: to })
    if (to === undefined && from.destinations.length < 2)
      throw new UsageError(
        'There is one destination only: nothing can be brought up from it',
        'Name another: --to PLACE',
      )
    const engine = await (await this.scope()).session.engine()
    const progress = await this.startProgress(flags, 'object')
    const result = await engine.sync({
      from: from.destinations,
      to: targets.destinations,
      create: to !== undefined,
      dryRun: flags['dry-run'],
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    const lags = !flags['dry-run'] && result.destinations.some(({ state }) => state === 'lagging')
    if (lags) this.terminal.exitCode = exitCode.notEverywhere
    if (result.damaged.length > 0) this.terminal.exitCode = exitCode.damaged
    await this.tellResult(flags, syncJson(result, flags['dry-run']), this.#reportOf(result, flags['dry-run']))
  }

  #reportOf({ destinations, damaged, elapsedMs }: SyncResult, isDryRun: boolean): string[] {
    const { red, green } = this.colours('stdout')
    const lines = destinations.map(({ name, state, objects, bytes: size, message }) => {
      const what = objects === 0 ? 'has everything' : `${counted(objects, 'object')}, ${bytes(size)}`
      if (message !== undefined) return `${safe(name)}: ${red('lags behind')}: ${safe(message)}`
      if (isDryRun) return `${safe(name)}: ${objects === 0 ? what : `lacks ${what}`}`
      return `${safe(name)}: ${state === 'complete' ? green('complete') : red('lags behind')}, ${objects === 0 ? what : `given ${what}`}`
    })
    for (const { key, message } of damaged) lines.push(`${red('damaged')}  ${safe(key)}: ${safe(message)}`)
    lines.push(isDryRun ? 'Dry run: nothing was written' : `in ${duration(elapsedMs)}`)
    return lines
  }
}

import type { DestinationStatus } from '@bkp/core'
import { BaseCommand } from '../../base-command.js'
import { exitCode } from '../../errors/exit-codes.js'
import { fromFlag, unlockFlags } from '../../flags/common.js'
import { placeHint } from '../../flags/place-names.js'
import { statusJson } from '../../output/results.js'
import { table } from '../../output/table.js'
import { bytes, counted, duration, localTime, safe } from '../../output/text.js'

export default class DestinationsStatus extends BaseCommand {
  static override summary = 'Show how every destination of a repository is.'
  static override description =
    'Per destination: newest snapshot, how far it lags behind the others, objects and bytes, what it misses, and the last check that this machine has made. Exit code 4: a destination lags or cannot be reached.'
  static override examples = [
    '<%= config.bin %> destinations status --from home',
    '<%= config.bin %> destinations status --from /mnt/disk/backup --from sftp://nas/backup --json',
  ]
  static override flags = { ...fromFlag, ...unlockFlags }

  async run(): Promise<void> {
    const { flags } = await this.parse(DestinationsStatus)
    const repository = await this.openRepository(flags)
    const statuses = await repository.status({ signal: this.signal })
    const isShort = (one: DestinationStatus) => one.message !== undefined || (one.missingObjects ?? 0) > 0
    if (statuses.some(isShort)) this.terminal.exitCode = exitCode.notEverywhere
    if (flags.json) return this.printJson({ destinations: statuses.map(statusJson) })
    const head = ['DESTINATION', 'SNAPSHOTS', 'NEWEST', 'LAG', 'OBJECTS', 'SIZE', 'MISSING', 'LAST CHECK']
    await this.print(
      await table(
        head,
        statuses.map((status) => this.#rowOf(status)),
      ),
    )
    for (const { name, message, hint } of statuses) {
      if (message === undefined) continue
      await this.print(`${safe(name)}: ${safe(message)}${hint === undefined ? '' : `\n  ${safe(hint)}`}`)
    }
    if (statuses.some(({ missingObjects = 0 }) => missingObjects > 0)) {
      const unusable = statuses.filter(({ message }) => message !== undefined)
      await this.print(`Bring up what lags by: bkp sync ${placeHint('--from', await this.places(flags), unusable)}`)
    }
  }

  #rowOf(status: DestinationStatus): string[] {
    const { red, green } = this.colours('stdout')
    const {
      name,
      message,
      isEmpty,
      snapshots = 0,
      newestSnapshot,
      lagSnapshots = 0,
      lagSeconds = 0,
      lastCheck,
    } = status
    if (message !== undefined) return [safe(name), red(isEmpty ? 'no repository' : 'not usable')]
    const lag =
      lagSnapshots === 0 ? green('none') : red(`${counted(lagSnapshots, 'snapshot')}, ${duration(lagSeconds * 1000)}`)
    const missing =
      status.missingObjects === 0
        ? green('none')
        : red(`${counted(status.missingObjects ?? 0, 'object')}, ${bytes(status.missingBytes ?? 0)}`)
    return [
      safe(name),
      String(snapshots),
      newestSnapshot === undefined ? '-' : localTime(new Date(newestSnapshot)),
      lag,
      String(status.objects ?? 0),
      bytes(status.bytes ?? 0),
      missing,
      lastCheck === undefined ? 'never from here' : `${localTime(new Date(lastCheck.time))}, ${checked(lastCheck)}`,
    ]
  }
}

function checked({ readDataShare, damages }: NonNullable<DestinationStatus['lastCheck']>): string {
  const depth = readDataShare === 0 ? 'structure' : `${Math.round(readDataShare * 100)}% of the data`
  return damages === 0 ? `${depth}, sound` : `${depth}, ${counted(damages, 'damage')}`
}

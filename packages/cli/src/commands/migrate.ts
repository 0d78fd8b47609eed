import type { Destination, MigrationPlan, MigrationResult } from '@bkp/core'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { type ConfigMove, moveInConfig } from '../config/move-destination.js'
import { UsageError } from '../errors/cli-error.js'
import { exitCode } from '../errors/exit-codes.js'
import { configFlag, limitFlags, placeFlag, progressFlag } from '../flags/common.js'
import { migrationJson } from '../output/results.js'
import { bytes, counted, duration, safe } from '../output/text.js'

export default class Migrate extends BaseCommand {
  static override summary = 'Move a repository from one provider to another.'
  static override description =
    'Says what it will take (requests, bytes, time), asks, copies every object byte for byte, and proves it: count, names, sizes, and the SHA-256 of everything read back. Needs no passphrase; goes on where it was broken off; removes nothing at the source. When the source is a destination of the configuration, that is pointed to the new place. Exit code 13: something is not sound at the source or at the target.'
  static override examples = [
    '<%= config.bin %> migrate --from b2://old-bucket/backup --to s3://new-bucket/backup',
    '<%= config.bin %> migrate --from nas --to b2://bucket/backup --limit-upload 5M',
    '<%= config.bin %> migrate --from /mnt/disk/backup --to webdavs://cloud.example/backup --dry-run --json',
    '<%= config.bin %> migrate --from nas --to b2://bucket/backup --yes --json',
  ]
  static override flags = {
    from: placeFlag('where the repository is'),
    to: placeFlag('where it shall go; the place may hold a part of it already, and nothing else'),
    ...configFlag,
    ...limitFlags,
    ...progressFlag,
    yes: Flags.boolean({ default: false, description: 'begin without asking' }),
    'dry-run': Flags.boolean({ default: false, description: 'only say what it will take' }),
    'read-back': Flags.boolean({
      default: true,
      allowNo: true,
      description: 'read everything back from the target; without, names and sizes are compared',
    }),
    'keep-config': Flags.boolean({ default: false, description: 'leave the configuration as it is' }),
  }

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Migrate)
    const { to, ...rest } = flags
    if (to === undefined) throw new UsageError('--to is missing', 'Name the new place: --to URL')
    const from = onlyOne((await this.places(rest)).destinations, '--from')
    const target = onlyOne((await this.places({ ...rest, from: to })).destinations, '--to')
    const { session } = await this.scope()
    const engine = await session.engine()
    const result = await engine.migrate({
      from,
      to: target,
      readBack: flags['read-back'],
      dryRun: flags['dry-run'],
      confirm: async (plan) => {
        if (!flags.json) await this.print(planLines(plan, from, target).join('\n'))
        if (!flags.yes && !(await this.#mayBegin(plan))) return false
        await this.startProgress(flags, 'object')
        return true
      },
      signal: this.signal,
      onEvent: (event) => this.progress?.onEvent(event),
    })
    this.stopProgress()
    if (result.state === 'refused') this.terminal.exitCode = exitCode.failure
    if (result.state === 'incomplete') this.terminal.exitCode = exitCode.damaged
    const moved: ConfigMove =
      result.state === 'complete' && !flags['keep-config']
        ? await moveInConfig((await this.scope()).config, this.terminal.env, {
            flag: flags.config,
            from: flags.from?.[0] ?? '',
            to: to[0] ?? '',
          })
        : { nextSteps: [] }
    const json = {
      ...migrationJson(result, from.name, target.name),
      movedInConfig: moved.name ?? null,
      nextSteps: moved.nextSteps,
    }
    const plan = result.state === 'planned' ? planLines(result.plan, from, target) : []
    await this.tellResult(flags, json, [...plan, ...this.#reportOf(result, moved)])
  }

  async #mayBegin(plan: MigrationPlan): Promise<boolean> {
    if (plan.objectsToCopy === 0) return true
    if (!this.terminal.canAsk)
      throw new UsageError('There is nobody to ask whether it may begin', 'Say so by --yes, or look first by --dry-run')
    return this.confirm('Begin?')
  }

  #reportOf(result: MigrationResult, { name, nextSteps }: ConfigMove): string[] {
    const { red, green } = this.colours('stdout')
    if (result.state === 'planned') return ['Dry run: nothing was written']
    if (result.state === 'refused') return ['Nothing was done']
    const lines = result.faults.map(({ key, message }) => `${red('damaged')}  ${safe(key)}: ${safe(message)}`)
    const proof = `${counted(result.verifiedObjects, 'object')} (${bytes(result.verifiedBytes)}) verified`
    lines.push(
      `${counted(result.copiedObjects, 'object')} (${bytes(result.copiedBytes)}) copied, ${proof}, in ${duration(result.elapsedMs)}`,
    )
    if (result.replacedObjects > 0)
      lines.push(`${counted(result.replacedObjects, 'object')} had wrong bytes at the new place, and were replaced`)
    if (result.state === 'incomplete') {
      const what = counted(result.faults.length, 'object')
      return [
        ...lines,
        `${what} could not be moved. Before this is run again, heal the source: bkp check ${this.fromHint} --heal-from OTHER --read-data`,
      ]
    }
    lines.push(green('The repository is complete at the new place'))
    if (name !== undefined) lines.push(`The configuration's ${safe(name)} points there now`)
    return [...lines, ...nextSteps.map(safe), 'The old place was left as it is']
  }
}

function onlyOne(destinations: readonly Destination[], flag: string): Destination {
  const [first, second] = destinations
  if (first === undefined || second !== undefined)
    throw new UsageError(`${flag} must name one place`, `Write ${flag} URL, or ${flag} REPOSITORY:DESTINATION`)
  return first
}

function planLines(plan: MigrationPlan, from: Destination, to: Destination): string[] {
  const { requests } = plan
  return [
    `${safe(from.name)} has ${counted(plan.objects, 'object')}, ${bytes(plan.bytes)}`,
    `To copy to ${safe(to.name)}: ${counted(plan.objectsToCopy, 'object')}, ${bytes(plan.bytesToCopy)}`,
    ...timeLines(plan),
    `Requests at the source: about ${requests.readAtSource} reads, ${requests.listAtSource} lists`,
    `Requests at the target: about ${requests.writeAtTarget} writes, ${requests.readAtTarget} reads, ${requests.listAtTarget} lists`,
  ]
}

function timeLines({ seconds, secondsToCopy = 0, secondsToReadBack = 0 }: MigrationPlan): string[] {
  if (seconds === undefined) return []
  const parts = [`${duration(secondsToCopy * 1000)} to copy`]
  if (secondsToReadBack > 0) parts.push(`${duration(secondsToReadBack * 1000)} to read back`)
  return [`Time: about ${parts.join(' and ')}, by the limits and the speed of the source; more if the target is slower`]
}

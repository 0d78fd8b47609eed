import type { DestinationCheck } from '@bkp/core'
import { Flags } from '@oclif/core'
import { BaseCommand } from '../base-command.js'
import { exitCode } from '../errors/exit-codes.js'
import { fromFlag, progressFlag, unlockFlags } from '../flags/common.js'
import { otherPlaces } from '../flags/place-names.js'
import type { Places } from '../flags/places.js'
import { parseShare } from '../flags/values.js'
import { checkJson } from '../output/results.js'
import { bytes, counted, duration, safe } from '../output/text.js'

type CheckFlags = { readonly config?: string | undefined; readonly 'read-data'?: string | undefined }

const mostPathsShown = 10

interface ReportParts {
  readonly isOneOfSeveral: boolean
  /** Whether every destination could be checked. */
  readonly isAllKnown: boolean
}

export default class Check extends BaseCommand {
  static override summary = 'Verify that every snapshot can be restored.'
  static override description =
    'Reads the structure of the repository; with --read-data also its data, all or a random share. Several destinations are checked one by one and compared with each other; with --heal or --heal-from one is mended from another. Exit code 13: damage was found and not healed, and is listed with what is lost; 4: a destination could not be checked.'
  static override examples = [
    '<%= config.bin %> check --from /mnt/disk/backup',
    '<%= config.bin %> check --from /mnt/disk/backup --read-data',
    '<%= config.bin %> check --from /mnt/disk/backup --read-data=10%',
    '<%= config.bin %> check --from sftp://nas/backup --heal-from /mnt/disk/backup --read-data',
  ]
  static override flags = {
    ...fromFlag,
    ...unlockFlags,
    ...progressFlag,
    heal: Flags.boolean({
      default: false,
      description: 'replace what is damaged or missing by what the other destinations of the repository have',
    }),
    'heal-from': Flags.string({
      description: 'replace what is damaged or missing by what this replica has, which is not checked itself',
      helpValue: 'PLACE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'read-data': Flags.string({
      description: 'read and verify the data as well: all, or a random share (--read-data=10%)',
      helpValue: 'N%',
    }),
  }

  override async init(): Promise<void> {
    this.argv = withReadDataValue(this.argv)
    await super.init()
  }

  protected override get isRun(): boolean {
    return true
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Check)
    const share = flags['read-data']
    const readDataShare = share === undefined ? 0 : parseShare(share)
    const places = await this.places(flags)
    const repository = await this.openRepository(flags, { startThreads: readDataShare > 0 }, places)
    const healFrom =
      flags['heal-from'] === undefined ? [] : (await this.places({ ...flags, from: flags['heal-from'] })).destinations
    const isAlone = places.destinations.length + healFrom.length === 1
    const remedy = isAlone ? await this.#remedyFor(places, flags) : ''
    // To read all data takes hours: not only at the end.
    if (isAlone && flags.heal)
      this.warnPeople(`Nothing can be healed, since there is no other replica to heal from. ${remedy}`)
    const progress = await this.startProgress(flags, 'pack')
    const results = await repository.check({
      readDataShare,
      heal: flags.heal || healFrom.length > 0,
      healFrom,
      signal: this.signal,
      onEvent: progress.onEvent,
    })
    this.stopProgress()
    if (results.some(({ damages }) => damages.length > 0)) this.terminal.exitCode = exitCode.damaged
    // One whose descriptor was healed has been checked like the others.
    const checked = new Set(results.map(({ name }) => name))
    const unchecked = repository.absent.filter(({ name }) => !checked.has(name))
    for (const { name, message, isDamaged } of unchecked) {
      if (isDamaged) this.terminal.exitCode = exitCode.damaged
      const advice = isDamaged && !flags.heal ? '; heal it by --heal' : ''
      this.warnPeople(`${name} was not checked: ${message}${advice}`)
    }
    if (unchecked.length > 0) this.terminal.exitCode ??= exitCode.notEverywhere
    // Without one of them it is not known what all snapshots need.
    const isAllKnown = unchecked.length === 0
    const lines = results.flatMap((result) =>
      this.#reportOf(result, { isOneOfSeveral: results.length > 1, isAllKnown }),
    )
    if (isAlone && results.some(({ damages }) => damages.length > 0)) {
      lines.push(safe(remedy))
      lines.push('What is sound nowhere is stored again by bkp backup --force, as long as its files are there')
    }
    await this.tellResult(flags, checkJson(results), lines)
  }

  /** How one that is checked by itself can be healed. */
  async #remedyFor(places: Places, flags: CheckFlags): Promise<string> {
    const { config } = await this.scope()
    const loaded = places.repository === undefined ? undefined : await config.load(flags.config)
    const others = loaded === undefined ? [] : otherPlaces(loaded.config, places)
    const healing = (place: string) => {
      const command = `bkp check ${this.fromHint} --heal-from ${place}`
      return flags['read-data'] === undefined ? command : `${command} --read-data`
    }
    return others.length === 0
      ? `To heal it another replica is needed: ${healing('PLACE')}`
      : `Heal it from another replica: ${others.map(healing).join(', or ')}`
  }

  #reportOf(result: DestinationCheck, { isOneOfSeveral, isAllKnown }: ReportParts): string[] {
    const { red, green } = this.colours('stdout')
    const lines: string[] = isOneOfSeveral ? [`${safe(result.name)}:`] : []
    for (const { key, message } of result.healed) lines.push(`${green('healed')}   ${safe(key)}: ${safe(message)}`)
    for (const { key, message, affects, intactAt } of result.damages) {
      const elsewhere = intactAt === undefined ? '' : `; ${safe(intactAt)} has it sound: heal it by --heal`
      lines.push(`${red('damaged')}  ${safe(key)}: ${safe(message)}${elsewhere}`)
      for (const path of affects.slice(0, mostPathsShown)) lines.push(`         loses ${safe(path.text)}`)
      const more = affects.length - mostPathsShown
      if (more > 0) lines.push(`         and ${more} more; see them with --json`)
    }
    const counts = [counted(result.snapshots, 'snapshot'), counted(result.packs, 'pack'), counted(result.blobs, 'blob')]
    const read = `${counted(result.packsRead, 'pack')} (${bytes(result.bytesRead)}) read, in ${duration(result.elapsedMs)}`
    lines.push(`${counts.join(', ')}; ${read}`)
    const damages = result.damages.length
    if (result.unreferencedPacks > 0) {
      const packs = counted(result.unreferencedPacks, 'pack')
      lines.push(
        isAllKnown && damages === 0
          ? `${packs} in no snapshot: leftovers of interrupted backups, or of one that runs; harmless where they are`
          : `${packs} in no snapshot that could be read: they may hold what is missing, and must not be deleted`,
      )
    }
    if (damages > 0) lines.push(`Found damage in ${counted(damages, 'object')}; everything else can be restored`)
    else if (result.packsRead === 0 && result.packs > 0) {
      lines.push(`${green('No damage found')} in the structure; data were not read: --read-data does that`)
    } else lines.push(green('No damage found'))
    return lines
  }
}

// oclif has no flag with an optional value: a bare --read-data means everything.
function withReadDataValue(argv: readonly string[]): string[] {
  const at = argv.indexOf('--read-data')
  if (at < 0) return [...argv]
  const next = argv[at + 1]
  const isShare = next !== undefined && /^[\d.]+%$/.test(next)
  return [...argv.slice(0, at), `--read-data=${isShare ? next : '100%'}`, ...argv.slice(at + (isShare ? 2 : 1))]
}

import { Errors, Flags } from '@oclif/core'
import pc from 'picocolors'
import { BaseCommand } from '../base-command.js'
import { fromFlag, secretFlags } from '../flags/common.js'
import { exitCode } from '../output/exit-codes.js'
import { ProgressLine } from '../output/progress.js'
import { bytes, duration, jsonPath, safe } from '../output/text.js'

export default class Check extends BaseCommand {
  static override summary = 'Verify that every snapshot can be restored.'
  static override description =
    'Reads the structure of the repository; with --read-data also its data, all or a random share. Exit code 13: damage was found, and is listed with what is lost.'
  static override examples = [
    '<%= config.bin %> check --from /mnt/disk/backup',
    '<%= config.bin %> check --from /mnt/disk/backup --read-data',
    '<%= config.bin %> check --from /mnt/disk/backup --read-data=10%',
  ]
  static override flags = {
    ...fromFlag,
    ...secretFlags,
    'read-data': Flags.string({ description: 'read and verify all data, or a share of it: --read-data=10%' }),
  }

  // oclif has no flag with an optional value: a bare --read-data means everything.
  override async init(): Promise<void> {
    this.argv = this.argv.map((arg) => (arg === '--read-data' ? '--read-data=100%' : arg))
    await super.init()
  }

  async run(): Promise<void> {
    const { flags } = await this.parse(Check)
    const progress = new ProgressLine(flags.json)
    const readDataShare = shareOf(flags['read-data'])
    const result = await this.withRepository(flags.from, flags, (repository) =>
      repository.check({ readDataShare, signal: this.signal, onEvent: progress.onEvent }),
    )
    progress.clear()
    const { damages } = result
    if (flags.json)
      this.printJson({
        ...result,
        damages: damages.map((damage) => ({ ...damage, affects: damage.affects.map(jsonPath) })),
      })
    else {
      for (const { key, message, affects } of damages) {
        this.print(`${pc.red('damaged')}  ${key}: ${safe(message)}`)
        for (const path of affects.slice(0, 10)) this.print(`         loses ${safe(path.text)}`)
        if (affects.length > 10) this.print(`         and ${affects.length - 10} more; all of them with --json`)
      }
      this.print(
        `${result.snapshots} snapshots, ${result.packs} packs, ${result.blobs} blobs; ${result.packsRead} packs (${bytes(result.bytesRead)}) read, in ${duration(result.elapsedMs)}`,
      )
      if (result.unreferencedPacks > 0)
        this.print(`${result.unreferencedPacks} packs belong to no snapshot: harmless leftovers of interrupted runs`)
      this.print(
        damages.length === 0
          ? pc.green('No damage found')
          : `${damages.length} objects are damaged; everything else can be restored`,
      )
    }
    if (damages.length > 0) process.exitCode = exitCode.damaged
  }
}

function shareOf(text: string | undefined): number {
  if (text === undefined) return 0
  const match = /^(\d+(?:\.\d+)?)%?$/.exec(text)
  const percent = Number(match?.[1])
  if (match === null || percent > 100)
    throw new Errors.CLIError(`"${text}" is not a share; write for example --read-data=10%`, { exit: 2 })
  return percent / 100
}

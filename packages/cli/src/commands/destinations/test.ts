import type { Destination, ProbeResult } from '@bkp/core'
import { BaseCommand } from '../../base-command.js'
import { exitCode } from '../../errors/exit-codes.js'
import { configFlag, placeFlag } from '../../flags/common.js'
import { probeJson } from '../../output/results.js'
import { table } from '../../output/table.js'
import { bytes, counted, safe } from '../../output/text.js'

export default class DestinationsTest extends BaseCommand {
  static override summary = 'Try whether places can hold a repository.'
  static override description =
    'Writes, reads, lists and removes small objects of its own with the real account, says what these credentials may do, how far the clocks differ and how fast it is, and cleans up behind itself as far as it may. Changes no repository, needs no passphrase. A folder or bucket that is not there is not made: its disk may not be mounted. Exit code 1: something that backups need does not work.'
  static override examples = [
    '<%= config.bin %> destinations test --to s3://bucket/backup',
    '<%= config.bin %> destinations test --to home --json',
  ]
  static override flags = { to: placeFlag('places to try'), ...configFlag }

  async run(): Promise<void> {
    const { flags } = await this.parse(DestinationsTest)
    const { destinations } = await this.places(flags)
    const engine = await (await this.scope()).session.engine()
    const tried: { readonly destination: Destination; readonly result: ProbeResult }[] = []
    for (const destination of destinations)
      tried.push({ destination, result: await this.#try(() => engine.probe(destination, { signal: this.signal })) })
    if (tried.some(({ result }) => result.steps.some(({ level }) => level === 'problem')))
      this.terminal.exitCode = exitCode.failure
    const { shownPlace } = await import('@bkp/core')
    const shown = tried.map(({ destination, result }) => ({ result, ...shownPlace(destination) }))
    if (flags.json)
      return this.printJson({ destinations: shown.map(({ name, url, result }) => probeJson(result, name, url)) })
    for (const { name, url, result } of shown) await this.#report(name, url, result)
  }

  /** One that cannot be opened is a finding; the others are tried all the same. */
  async #try(probe: () => Promise<ProbeResult>): Promise<ProbeResult> {
    try {
      return await probe()
    } catch (error) {
      if (this.signal.aborted) throw error
      const { message, hint } = error as Error & { readonly hint?: string }
      const text = hint === undefined ? message : `${message}${/[.?!]$/.test(message) ? '' : '.'} ${hint}`
      return {
        steps: [{ name: 'open', level: 'problem', message: text }],
        canRemove: false,
        canReplace: false,
        leftBehind: [],
      }
    }
  }

  async #report(name: string, url: string, result: ProbeResult): Promise<void> {
    const { red, green, yellow } = this.colours('stdout')
    const paint = { ok: green, note: yellow, problem: red }
    await this.print(`${safe(name)}${name === url ? '' : ` (${safe(url)})`}`)
    await this.print(
      await table(
        [],
        result.steps.map(({ name: step, level, message }) => [`  ${paint[level](level)}`, step, safe(message)]),
      ),
    )
    const { uploadBytesPerSecond: up, downloadBytesPerSecond: down } = result
    if (up !== undefined && down !== undefined) await this.print(`  ${bytes(up)}/s there, ${bytes(down)}/s back`)
    if (result.leftBehind.length > 0)
      await this.print(
        `  ${counted(result.leftBehind.length, 'test object')} could not be removed: ${result.leftBehind.join(', ')}`,
      )
  }
}

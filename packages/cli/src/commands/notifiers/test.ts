import { hostname } from 'node:os'
import type { NotifierOutcome } from '@bkp/core'
import type { NotifierConfig } from '@bkp/core/config'
import { type NotificationKind, notificationKinds } from '@bkp/plugin-api'
import { Args, Flags } from '@oclif/core'
import { BaseCommand } from '../../base-command.js'
import { UsageError } from '../../errors/cli-error.js'
import { exitCode } from '../../errors/exit-codes.js'
import { configFlag } from '../../flags/common.js'
import { duration, safe } from '../../output/text.js'

export default class NotifiersTest extends BaseCommand {
  static override summary = 'Send a test message to notifiers.'
  static override description =
    'To the named ones, or to all of the configuration. Each gets the gravest kind of message that it wants to hear of (--kind sends another), with a text that says it is a test. Exit code 1: a message did not arrive.'
  static override examples = [
    '<%= config.bin %> notifiers test',
    '<%= config.bin %> notifiers test mail --kind finished --json',
  ]
  static override strict = false
  static override args = { name: Args.string({ description: 'notifiers of the configuration (default: all)' }) }
  static override flags = {
    ...configFlag,
    kind: Flags.string({ description: 'what the message says', options: [...notificationKinds] }),
  }

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(NotifiersTest)
    const { config, notifierTargets, session } = await this.scope()
    const loaded = await config.require(flags.config)
    const outcomes: NotifierOutcome[] = []
    for (const [name, written] of await chosen(loaded.config.notifiers, argv as string[])) {
      const kind = (flags.kind as NotificationKind | undefined) ?? gravest(written.on)
      const target = await notifierTargets.target(name, { ...written, on: [kind] }, loaded)
      const notifiers = (await session.engine()).notifiers([target])
      const now = new Date().toISOString()
      const isStart = kind === 'started'
      const notification = {
        kind,
        command: 'notifiers test',
        host: hostname(),
        startedAt: now,
        summary: `This is a test of the notifier ${name}: no backup has run`,
        ...(isStart ? {} : { finishedAt: now, exitCode: exitCodeOf(kind) }),
      }
      outcomes.push(...(await notifiers.tell(notification)))
      await notifiers.close()
    }
    if (outcomes.some(({ state }) => state === 'failed')) this.terminal.exitCode = exitCode.failure
    if (flags.json) {
      return this.printJson({
        notifiers: outcomes.map(({ name, kind, state, message, hint, elapsedMs }) => ({
          name,
          kind,
          state,
          message: message ?? null,
          hint: hint ?? null,
          elapsedMs,
        })),
      })
    }
    const { red, green } = this.colours('stdout')
    for (const { name, kind, state, message, elapsedMs } of outcomes) {
      const what =
        state === 'told'
          ? `${green('told')} of "${kind}" in ${duration(elapsedMs)}`
          : `${red('not told')} of "${kind}": ${safe(message ?? '')}`
      await this.print(`${safe(name)}  ${what}`)
    }
  }
}

async function chosen(
  notifiers: Readonly<Record<string, NotifierConfig>>,
  names: readonly string[],
): Promise<readonly (readonly [string, NotifierConfig])[]> {
  const known = Object.keys(notifiers)
  if (known.length === 0)
    throw new UsageError('The configuration has no notifiers', 'Enter one under notifiers: bkp config edit')
  const { unknownText } = await import('@bkp/core/config')
  return (names.length === 0 ? known : names).map((name) => {
    const found = notifiers[name]
    if (found === undefined) throw new UsageError(`The notifier "${name}" ${unknownText(name, known)}`)
    return [name, found] as const
  })
}

function gravest(on: readonly NotificationKind[]): NotificationKind {
  return notificationKinds.findLast((kind) => on.includes(kind)) ?? 'failed'
}

/** As a run ends with that such a message tells of. */
function exitCodeOf(kind: NotificationKind): number {
  if (kind === 'finished') return exitCode.success
  return kind === 'degraded' ? exitCode.incomplete : exitCode.failure
}

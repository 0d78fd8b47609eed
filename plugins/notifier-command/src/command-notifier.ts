import {
  isSecret,
  type Notification,
  type Notifier,
  type NotifierRequest,
  type NotifyOptions,
  PortError,
  type Secret,
} from '@bkp/plugin-api'
import { environmentOf } from './environment.js'
import { type Ended, runProgram } from './program.js'

/** sysexits.h: a program that knows it says why, e.g. msmtp and sendmail do. */
const unavailable = 69
const tryAgain = 75

/** What is shown of a program's last words. */
const shownCharacters = 300

export function openCommandNotifier({ configuration, log }: NotifierRequest): Notifier {
  const command = String(configuration.command ?? '')
  if (command.trim() === '') throw new PortError('config', 'No command is given', { hint: 'Name it: options.command' })
  const token = isSecret(configuration.token) ? configuration.token : undefined
  return {
    async notify(notification: Notification, { signal }: NotifyOptions): Promise<void> {
      const environment = environmentOf(notification, token)
      const ended = await runProgram(command, `${JSON.stringify(notification)}\n`, environment, signal)
      if (ended.output.trim() !== '') log.debug(`The program printed: ${withoutToken(ended.output.trim(), token)}`)
      if (ended.kind !== 'exited' || ended.code !== 0) throw failureOf(ended, token)
    },
    async close() {
      // Nothing stays open between two messages.
    },
  }
}

function failureOf(ended: Ended, token: Secret | undefined): PortError {
  const words = withoutToken(ended.output.trim().slice(-shownCharacters), token).replaceAll('\n', ' ')
  const said = words === '' ? '' : `: ${words}`
  const hint = 'Try it: bkp notifiers test'
  if (ended.kind === 'not-started') return new PortError('config', `The program cannot be run${said}`, { hint })
  if (ended.kind === 'killed') return new PortError('transient', `The program was ended by ${ended.signal}${said}`)
  const message = `The program ended with exit code ${ended.code}${said}`
  if (ended.code === unavailable) return new PortError('offline', message, { hint })
  return new PortError(ended.code === tryAgain ? 'transient' : 'config', message, { hint })
}

function withoutToken(text: string, token: Secret | undefined): string {
  return token === undefined ? text : text.replaceAll(token.reveal(), '[secret]')
}

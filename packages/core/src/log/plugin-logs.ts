import { isSecret, type Logger, type Secret } from '@bkp/plugin-api'
import { hideSecrets } from '../notify/hide-secrets.js'

export type LogLevel = 'debug' | 'info' | 'warn'

/** What is logged in another thread or process, on its way here. */
export interface LogMessage {
  readonly kind: 'log'
  readonly level: LogLevel
  readonly message: string
  readonly details?: Readonly<Record<string, unknown>>
}

/** A logger where nobody listens: what it is told is sent to where somebody does. */
export function sendingLogger(send: (message: LogMessage) => void): Logger {
  const at =
    (level: LogLevel): Logger[LogLevel] =>
    (message, details) =>
      send({
        kind: 'log',
        level,
        message: String(message),
        ...(details === undefined ? {} : { details: plainDetails(details) }),
      })
  return { debug: at('debug'), info: at('info'), warn: at('warn') }
}

/** @param packageName whose code said it; undefined for core @param line without secrets */
export type OnLogLine = (packageName: string | undefined, level: LogLevel, line: string) => void

/**
 * The loggers of core and of every plugin. Whatever is said through them holds no secret that a plugin was given.
 */
export class PluginLogs {
  readonly core: Logger
  readonly #log: Logger
  readonly #secrets: Iterable<Secret>
  readonly #onLine: OnLogLine | undefined
  readonly #loggers = new Map<string, Logger>()

  /**
   * @param log is told messages alone, for people
   * @param secrets looked at anew for each line
   * @param onLine is told whole lines, with details and whose they are
   */
  constructor(log: Logger, secrets: Iterable<Secret>, onLine?: OnLogLine) {
    this.#log = log
    this.#secrets = secrets
    this.#onLine = onLine
    this.core = this.#make(undefined)
  }

  /** @param people is told instead of the log for people */
  of(packageName?: string, people?: Logger): Logger {
    if (people !== undefined) return this.#make(packageName, people)
    if (packageName === undefined) return this.core
    const known = this.#loggers.get(packageName)
    if (known !== undefined) return known
    const logger = this.#make(packageName)
    this.#loggers.set(packageName, logger)
    return logger
  }

  #make(packageName: string | undefined, people: Logger = this.#log): Logger {
    const at = (level: LogLevel) => (message: string, details?: Readonly<Record<string, unknown>>) => {
      people[level](this.#hide(String(message)))
      this.#onLine?.(packageName, level, this.#hide(logLine(message, details)))
    }
    return { debug: at('debug'), info: at('info'), warn: at('warn') }
  }

  #hide(text: string): string {
    return hideSecrets(text, this.#secrets)
  }
}

// As JSON, in which secrets are looked for.
function logLine(message: unknown, details: unknown): string {
  return details === undefined ? String(message) : `${message} ${JSON.stringify(plainDetails(details))}`
}

/** Details of a message as plain data, which can cross threads. Never throws, whatever they are. */
export function plainDetails(details: unknown): Record<string, unknown> {
  try {
    const plain: unknown = JSON.parse(JSON.stringify(details, (_, value: unknown) => shown(value)))
    return typeof plain === 'object' && plain !== null ? { ...plain } : { details: plain }
  } catch (error) {
    return { details: `cannot be shown: ${error instanceof Error ? error.message.split('\n')[0] : error}` }
  }
}

function shown(value: unknown): unknown {
  if (isSecret(value)) return '[secret]'
  if (value instanceof Error) return value.message
  if (typeof value === 'bigint') return String(value)
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  return value
}

import type { Logger } from './storage.js'

/**
 * What a notifier is told of.
 *
 * - `started`: a run has begun.
 * - `finished`: it did all that it was asked for.
 * - `degraded`: there is a result, but not all of it: some sources could not be read, or not every destination has it.
 * - `failed`: there is no result, or damage was found.
 */
export type NotificationKind = 'started' | 'finished' | 'degraded' | 'failed'

/** Kinds in the order of gravity, the gravest last. */
export const notificationKinds: readonly NotificationKind[] = ['started', 'finished', 'degraded', 'failed']

/** One message about a run. It holds no secrets; URLs of destinations are shown as in bkp's own output. */
export interface Notification {
  readonly kind: NotificationKind
  /** The command as it is typed, without its arguments, e.g. `backup`. */
  readonly command: string
  /** Name of the job of the configuration, where the run is one. */
  readonly job?: string
  /** Name of this machine. */
  readonly host: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
  /** ISO 8601, UTC; absent in `started`. */
  readonly finishedAt?: string
  /** One or a few lines for people: what happened, and what to do if something is to be done. */
  readonly summary: string
  /** As bkp ends with; absent in `started`. */
  readonly exitCode?: number
  /** The document that the command prints with `--json`, the one of an error included; absent in `started`. */
  readonly report?: Readonly<Record<string, unknown>>
}

/** What a call of a notifier is given. */
export interface NotifyOptions {
  /** Aborted when bkp waits no longer. */
  readonly signal: AbortSignal
}

/** Tells people, or a service that watches. Notifying never changes what becomes of a run. */
export interface Notifier {
  /**
   * Called once for each message, one after the other. Core limits the time of a call (30 s unless the configuration says
   * otherwise), repeats it after `transient`, `throttled` and `offline`, and warns of what fails for good.
   * @throws PortError
   */
  notify(notification: Notification, options: NotifyOptions): Promise<void>
  /** Lets go of what it holds. Called once or more often, after the last message. */
  close(): Promise<void>
}

/** What a notifier is made from. */
export interface NotifierRequest {
  /** Checked against the schema of the manifest; properties with `x-bkp-secret` arrive as `Secret`. */
  readonly configuration: Readonly<Record<string, unknown>>
  readonly log: Logger
}

/** Makes a notifier. @throws PortError `config` for what the schema cannot say */
export type NotifierFactory = (request: NotifierRequest) => Notifier | Promise<Notifier>

const outcomes: Readonly<Record<NotificationKind, string>> = {
  started: 'has started',
  finished: 'has finished',
  degraded: 'has a result, but not all of it',
  failed: 'has failed',
}

/** One line that says what happened where, e.g. `bkp backup documents on nas has failed`: the subject of a mail. */
export function notificationTitle({ kind, command, job, host }: Notification): string {
  const run = [command, ...(job === undefined ? [] : [job])].join(' ')
  return `bkp ${run} on ${host} ${outcomes[kind]}`
}

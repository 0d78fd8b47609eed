import type { Notification, NotificationKind } from '@bkp/plugin-api'

/** What became of one message at one notifier. */
export interface NotifierOutcome {
  /** Name in the configuration. */
  readonly name: string
  readonly kind: NotificationKind
  readonly state: 'told' | 'failed'
  /** Why it was not told. */
  readonly message?: string
  readonly hint?: string
  readonly elapsedMs: number
}

export interface TellOptions {
  /** `none`: somebody waits for the end; one attempt of at most 10 s. */
  readonly patience?: 'as-configured' | 'none'
}

/** Notifiers of the configuration. What goes wrong with them is logged and told in outcomes, and never thrown. */
export interface Notifiers {
  /**
   * Tells all that want to hear of this kind, each in the order of calls. Secrets that plugins were given are taken out.
   * @returns when all have heard or failed
   */
  tell(notification: Notification, options?: TellOptions): Promise<readonly NotifierOutcome[]>
  close(): Promise<void>
}

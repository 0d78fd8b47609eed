import type { NotificationKind } from '@bkp/plugin-api'

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

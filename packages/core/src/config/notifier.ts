import type { NotificationKind } from '@bkp/plugin-api'
import type { Patience } from './destination.js'

/** A notifier as a run is given it, ready to be opened. */
export interface NotifierTarget {
  /** From the configuration: how messages call it. */
  readonly name: string
  /** The id that its plugin contributes. */
  readonly use: string
  /** Options of the plugin; secrets are `Secret`s. */
  readonly options: Readonly<Record<string, unknown>>
  /** What it is told of. */
  readonly on: readonly NotificationKind[]
  readonly patience?: Pick<Patience, 'callSeconds' | 'retrySeconds'>
}

/** People want to hear of what needs them. */
export const defaultNotificationKinds: readonly NotificationKind[] = ['degraded', 'failed']

import type { Notification } from '@bkp/plugin-api'
import type { NotifierOutcome, TellOptions } from '../../notify/outcome.js'

export type { NotifierOutcome, TellOptions } from '../../notify/outcome.js'

/** Notifiers of the configuration. What goes wrong with them is logged and told in outcomes, and never thrown. */
export interface Notifiers {
  /**
   * Tells all that want to hear of this kind, each in the order of calls. Secrets that plugins were given are taken out.
   * @returns when all have heard or failed
   */
  tell(notification: Notification, options?: TellOptions): Promise<readonly NotifierOutcome[]>
  close(): Promise<void>
}

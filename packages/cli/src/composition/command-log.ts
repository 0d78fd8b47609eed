import type { Logger } from '@bkp/plugin-api'
import type { OnLogLine } from '../output/debug-log.js'

/** Where a command tells people what they should know, and, where `DEBUG` asks for it, all else. */
export interface CommandLog extends Logger {
  readonly onLine?: OnLogLine
}

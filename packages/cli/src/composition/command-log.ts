import type { Logger } from '@bkp/plugin-api'
import { createDebugLog, type OnLogLine, wantsDebug } from '../output/debug-log.js'
import type { Progress } from '../output/progress.js'
import type { Terminal } from './terminal.js'

/** Where a command tells people what they should know, and, where `DEBUG` asks for it, all else. */
export interface CommandLog extends Logger {
  readonly onLine?: OnLogLine
  /** Ends the process: code of a plugin keeps it from going on. */
  readonly onPluginHeld?: (error: Error) => void
}

/**
 * @param warn tells people
 * @param progress what is drawn now, which lines must not run into
 */
export function createCommandLog(
  { env, stderr }: Terminal,
  warn: (message: string) => void,
  progress: () => Progress | undefined,
): CommandLog {
  const log = { debug: () => undefined, info: () => undefined, warn }
  if (!wantsDebug(env)) return log
  const say = (line: string) => {
    const drawn = progress()
    if (drawn !== undefined) drawn.log(line)
    // Where nobody reads nobody looks for faults.
    else stderr.write(`${line}\n`).catch(() => undefined)
  }
  return { ...log, onLine: createDebugLog(env.DEBUG ?? '', stderr.hasColours, say) }
}

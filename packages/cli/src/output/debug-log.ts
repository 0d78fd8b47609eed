import { format } from 'node:util'
import type { EngineOptions } from '@bkp/core'
import createDebug from 'debug'
import { safe } from './text.js'

export type OnLogLine = NonNullable<EngineOptions['onLogLine']>

/** Whether `DEBUG` asks for anything of bkp: stack traces are shown then. */
export function wantsDebug({ DEBUG = '' }: Readonly<Record<string, string | undefined>>): boolean {
  return DEBUG.split(/[\s,]+/).some((name) => name === '*' || name.startsWith('bkp'))
}

/**
 * Shows what core and plugins log, as far as `DEBUG` asks for it: `bkp:core`, and `bkp:plugin:NAME` for each plugin.
 * @param names the value of DEBUG: comma-separated, with `*`; those that begin with `-` are left out
 */
export function createDebugLog(names: string, hasColours: boolean, say: (line: string) => void): OnLogLine {
  createDebug.enable(names)
  const known = new Map<string, createDebug.Debugger>()
  const debuggerOf = (namespace: string) => {
    const found = known.get(namespace)
    if (found !== undefined) return found
    const made = createDebug(namespace)
    ;(made as { useColors?: boolean }).useColors = hasColours
    made.log = (...args) => say(format(...args))
    known.set(namespace, made)
    return made
  }
  return (packageName, level, line) => {
    const debug = debuggerOf(packageName === undefined ? 'bkp:core' : `bkp:plugin:${packageName}`)
    debug('%s: %s', level, safe(line))
  }
}

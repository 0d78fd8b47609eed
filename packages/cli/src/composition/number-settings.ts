import { UsageError } from '../errors/cli-error.js'

type Environment = Readonly<Record<string, string | undefined>>

const mostWorkers = 64
const longestCallSeconds = 24 * 60 * 60

/** BKP_WORKERS. @throws UsageError */
export function workersOf(env: Environment): number | undefined {
  return wholeNumberIn(env, 'BKP_WORKERS', 'threads', mostWorkers)
}

/** BKP_PLUGIN_TIMEOUT, which is in seconds: how long plugins of others may take. @throws UsageError */
export function pluginCallMsOf(env: Environment): number | undefined {
  const seconds = wholeNumberIn(env, 'BKP_PLUGIN_TIMEOUT', 'seconds', longestCallSeconds)
  return seconds === undefined ? undefined : seconds * 1000
}

function wholeNumberIn(env: Environment, name: string, unit: string, most: number): number | undefined {
  const given = env[name]
  if (given === undefined || given === '') return undefined
  const number = Number(given)
  if (Number.isInteger(number) && number >= 1 && number <= most) return number
  throw new UsageError(`${name} is "${given}"`, `Give a number of ${unit} from 1 to ${most}, or unset it`)
}

import { pluginFailed } from './plugin-guard.js'

/** A small machine that is busy takes seconds to load a large library. */
export const activationLimitMs = 60_000

/**
 * What a plugin does before it can be used, in its time.
 * @param what it does, e.g. `activate`
 * @throws BkpError `plugin-failed` when it takes longer
 */
export async function withinActivation<T>(packageName: string, what: string, doing: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    const reason = `it did not ${what} within ${activationLimitMs / 1000} s`
    timer = setTimeout(() => reject(pluginFailed(packageName, reason)), activationLimitMs)
  })
  try {
    return await Promise.race([doing, timeout])
  } finally {
    clearTimeout(timer)
  }
}

import { systemTiming } from '../../ports/timing.js'
import { type PluginGuard, pluginFailed } from './plugin-guard.js'

const openingMs = 120_000

interface MayAsk {
  readonly configuration: unknown
  readonly confirm?: (question: string) => Promise<boolean>
}

/**
 * Lets a plugin make what it registered, in its time. A plugin that asks the user something may take as long as the user.
 * @throws BkpError `plugin-failed`; PortError of the plugin
 */
export async function opened<Request extends MayAsk, T>(
  guard: PluginGuard,
  what: string,
  request: Request,
  factory: (request: Request) => T | Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const { confirm } = request
  const patient: Request =
    confirm === undefined
      ? request
      : {
          ...request,
          confirm: (question: string) => {
            over.abort()
            return confirm(question)
          },
        }
  const timeIsUp = async (): Promise<T> => {
    try {
      await systemTiming.wait(openingMs, over.signal)
    } catch {
      // Somebody was asked, or it is open.
      return new Promise<T>(() => undefined)
    }
    throw pluginFailed(guard.packageName, `it did not open ${what} within ${openingMs / 1000} s`)
  }
  try {
    return await Promise.race([guard.run(() => factory(patient)), timeIsUp()])
  } finally {
    over.abort()
  }
}

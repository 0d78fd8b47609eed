import { setMaxListeners } from 'node:events'
import { toPortError } from './errors.js'

/** What every call of the SDK is given. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal
}

/**
 * One call of the SDK: lets no error of it out, and ends at once when the signal comes, with its reason. The SDK itself does
 * not listen while it looks for credentials.
 */
export async function call<T>(
  what: string,
  signal: AbortSignal | undefined,
  action: (options: SendOptions) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  // A run gives all its calls one signal; Node takes more than ten of them at once for a leak.
  if (signal !== undefined) setMaxListeners(0, signal)
  try {
    return signal === undefined ? await action({}) : await untilAborted(action({ abortSignal: signal }), signal)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw toPortError(error, what)
  }
}

async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([promise, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

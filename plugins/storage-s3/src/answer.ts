import { PortError } from '@bkp/plugin-api'
import type { Dispatcher } from 'undici'

export type Headers = Readonly<Record<string, string>>

/** Takes the bytes of an answer as they come. Both may throw, which ends the connection and rejects the call. */
export interface Sink {
  /** Told before the first byte. */
  start(headers: Headers): void
  /** @param chunk valid during the call */
  take(chunk: Uint8Array): void
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** What no sink has taken. */
  readonly bytes: readonly Uint8Array[]
}

/** Lists of 1,000 long keys have 2 MB; whatever sends more than this is no S3 server. */
const mostBytes = 32 * 2 ** 20

/** One request. Nothing goes to the sink any more once the signal is aborted. @throws what went wrong with the connection */
export function answerOf(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { sink, signal }: { readonly sink: Sink | undefined; readonly signal: AbortSignal | undefined },
): Promise<Answer> {
  signal?.throwIfAborted()
  return new Promise((resolve, reject) => {
    let status = 0
    let headers: Headers = {}
    let size = 0
    const bytes: Uint8Array[] = []
    let abort = () => {}
    const onAbort = () => {
      abort()
      reject(signal?.reason)
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    const isTaken = () => sink !== undefined && status >= 200 && status < 300
    /** What it throws would else be an exception of nobody's. */
    const guarded = (controller: Dispatcher.DispatchController, action: () => void) => {
      try {
        if (!signal?.aborted) action()
      } catch (error) {
        controller.abort(error as Error)
      }
    }
    dispatcher.dispatch(request, {
      onRequestStart: (controller) => {
        abort = () => controller.abort(signal?.reason)
        if (signal?.aborted) abort()
      },
      onResponseStart: (controller, code, given) => {
        // Answers below 200 come before the one that counts.
        if (code < 200) return
        status = code
        headers = joined(given)
        if (isTaken()) guarded(controller, () => sink?.start(headers))
      },
      onResponseData: (controller, chunk) =>
        guarded(controller, () => {
          if (isTaken()) return sink?.take(chunk)
          size += chunk.length
          if (size > mostBytes)
            throw new PortError('unsupported', `The server answered with more than ${mostBytes} bytes`)
          bytes.push(chunk)
        }),
      onResponseEnd: () => {
        signal?.removeEventListener('abort', onAbort)
        resolve({ status, headers, bytes })
      },
      onResponseError: (_, error) => {
        signal?.removeEventListener('abort', onAbort)
        reject(error)
      },
    })
  })
}

function joined(given: Readonly<Record<string, string | string[] | undefined>>): Headers {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [name, [value ?? ''].flat().join(', ')]))
}

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { HeadersLike } from 'webdav'

/**
 * What a server says, in the shape in which the webdav library hands answers on. Of 400 and more the body is read
 * already and thrown away; of others it waits to be read by `readAnswer`.
 */
export interface Answer {
  readonly status: number
  readonly statusText: string
  readonly ok: boolean
  readonly url: string
  readonly headers: HeadersLike
  readonly message: IncomingMessage
}

export function answerOf(message: IncomingMessage, url: string): Answer {
  const status = message.statusCode ?? 0
  return {
    status,
    statusText: message.statusMessage ?? '',
    ok: status >= 200 && status < 300,
    url,
    headers: headersOf(message.headers),
    message,
  }
}

/** @returns undefined unless it is a whole number */
export function lengthOf({ headers }: Answer): number | undefined {
  const text = headers.get('content-length')
  return text !== null && /^\d+$/.test(text) ? Number(text) : undefined
}

/**
 * Hands the body on, piece by piece. Resolves when it is complete, or when `take` has said `enough`; the connection is
 * closed then.
 * @throws the signal's reason, or an error of the connection, also when the body ends before its time
 */
export function readAnswer(
  { message }: Answer,
  signal: AbortSignal | undefined,
  take: (piece: Uint8Array) => 'more' | 'enough',
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (finish: () => void) => {
      signal?.removeEventListener('abort', abort)
      message.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      finish()
    }
    const abort = () => end(() => reject(signal?.reason))
    const onError = (error: Error) => end(() => reject(signal?.aborted ? signal.reason : error))
    const onClose = () => onError(new Error('the connection was closed in the middle of an answer'))
    const onEnd = () => (message.complete ? end(resolve) : onClose())
    const onData = (piece: Uint8Array) => {
      if (take(piece) === 'more') return
      end(resolve)
      message.destroy()
    }
    if (signal?.aborted) return abort()
    if (message.destroyed) return message.errored ? onError(message.errored) : onClose()
    signal?.addEventListener('abort', abort)
    message.on('end', onEnd).on('error', onError).on('close', onClose).on('data', onData)
  })
}

/** The whole body as text. */
export async function textOf(answer: Answer, signal: AbortSignal | undefined): Promise<string> {
  const pieces: Uint8Array[] = []
  await readAnswer(answer, signal, (piece) => {
    pieces.push(piece)
    return 'more'
  })
  return Buffer.concat(pieces).toString('utf8')
}

/** Reads what nobody wants, so that the connection can be used again. */
export async function drain(answer: Answer, signal: AbortSignal | undefined): Promise<void> {
  if (answer.status < 400) await readAnswer(answer, signal, () => 'more')
}

function headersOf(headers: IncomingHttpHeaders): HeadersLike {
  const text = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value)
  return {
    get: (name) => text(headers[name.toLowerCase()]) ?? null,
    forEach: (callback) => {
      for (const [name, value] of Object.entries(headers)) callback(text(value) ?? '', name)
    },
  }
}

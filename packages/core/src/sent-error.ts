import { isPortError, PortError, type PortErrorCode } from '@bkp/plugin-api'
import { BkpError, type BkpErrorCode, isBkpError } from './errors/index.js'

/** An error that can cross a thread: its class does not survive, so its kind is named. */
export interface SentError {
  readonly kind: 'bkp' | 'port' | 'other'
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly stack: string | undefined
  readonly retryAfterMs?: number
  /** For those who look for faults. */
  readonly cause?: SentError
}

const deepestCause = 4

export function sendError(error: unknown, depth = 0): SentError {
  const isError = error instanceof Error
  const cause = isError ? error.cause : undefined
  const common = {
    message: isError ? error.message : String(error),
    stack: isError ? error.stack : undefined,
    ...(cause === undefined || depth === deepestCause ? {} : { cause: sendError(cause, depth + 1) }),
  }
  if (isBkpError(error)) return { ...common, kind: 'bkp', code: error.code, hint: error.hint }
  if (!isPortError(error)) return { ...common, kind: 'other', code: '', hint: undefined }
  const { code, hint, retryAfterMs } = error
  return { ...common, kind: 'port', code, hint, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
}

export function receiveError({ kind, code, message, hint, stack, retryAfterMs, cause }: SentError): Error {
  const options = {
    ...(hint === undefined ? {} : { hint }),
    ...(cause === undefined ? {} : { cause: receiveError(cause) }),
  }
  if (kind === 'bkp') return new BkpError(code as BkpErrorCode, message, options)
  if (kind === 'port') {
    const after = retryAfterMs === undefined ? {} : { retryAfterMs }
    return new PortError(code as PortErrorCode, message, { ...options, ...after })
  }
  const error = new BkpError('internal', message, options)
  if (stack !== undefined) error.stack = stack
  return error
}

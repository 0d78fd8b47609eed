import { isPortError, PortError, type PortErrorCode } from '@bkp/plugin-api'
import { BkpError, type BkpErrorCode, isBkpError } from '../../errors/index.js'

/** An error that can cross a thread: its class does not survive, so its kind is named. */
export interface SentError {
  readonly kind: 'bkp' | 'port' | 'other'
  readonly code: string
  readonly message: string
  readonly hint: string | undefined
  readonly stack: string | undefined
}

export function sendError(error: unknown): SentError {
  const message = error instanceof Error ? error.message : String(error)
  const stack = error instanceof Error ? error.stack : undefined
  if (isBkpError(error)) return { kind: 'bkp', code: error.code, message, hint: error.hint, stack }
  if (isPortError(error)) return { kind: 'port', code: error.code, message, hint: error.hint, stack }
  return { kind: 'other', code: '', message, hint: undefined, stack }
}

export function receiveError(sent: SentError): Error {
  const hint = sent.hint === undefined ? {} : { hint: sent.hint }
  if (sent.kind === 'bkp') return new BkpError(sent.code as BkpErrorCode, sent.message, hint)
  if (sent.kind === 'port') return new PortError(sent.code as PortErrorCode, sent.message, hint)
  const error = new BkpError('internal', sent.message)
  if (sent.stack !== undefined) error.stack = sent.stack
  return error
}

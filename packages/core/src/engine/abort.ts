import { BkpError, isBkpError } from '../errors/index.js'

/** What a cancelled operation rejects with. */
export function abortError(signal: AbortSignal | undefined): BkpError {
  const reason: unknown = signal?.reason
  if (isBkpError(reason)) return reason
  return new BkpError('interrupted', 'Interrupted; what was stored so far is kept and used by the next run', {
    cause: reason,
  })
}

/** @throws BkpError `interrupted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal)
}

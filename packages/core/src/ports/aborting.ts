import { setMaxListeners } from 'node:events'

/** Calls `action` when the signal is aborted, at once if it is already. @returns what ends that */
export function whenAborted(signal: AbortSignal | undefined, action: () => void): () => void {
  if (signal === undefined) return () => undefined
  if (signal.aborted) action()
  allowMany(signal)
  signal.addEventListener('abort', action, { once: true })
  return () => signal.removeEventListener('abort', action)
}

/** All calls of a run share its signal: that many listen to it is no leak, which Node would warn of. */
export function allowMany(signal: AbortSignal): void {
  setMaxListeners(0, signal)
}

/** Settles with `running`, or rejects with the signal's reason as soon as it is aborted. */
export function untilAborted<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return running
  return new Promise<T>((resolve, reject) => {
    const forget = whenAborted(signal, () => reject(signal.reason))
    running.then(resolve, reject).finally(forget)
  })
}

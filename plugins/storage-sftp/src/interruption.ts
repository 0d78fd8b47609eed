/**
 * Runs `action`, and rejects with the signal's reason as soon as it is aborted; `action` then comes to its end by itself,
 * which it should do soon. When it calls `pointOfNoReturn` it is either stopped there, or alone decides the outcome.
 */
export function interruptible<T>(
  signal: AbortSignal | undefined,
  action: (pointOfNoReturn: () => void) => Promise<T>,
): Promise<T> {
  if (signal === undefined) return action(() => undefined)
  if (signal.aborted) return Promise.reject(signal.reason)
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    const leave = () => signal.removeEventListener('abort', onAbort)
    const pointOfNoReturn = () => {
      signal.throwIfAborted()
      leave()
    }
    action(pointOfNoReturn).then(resolve, reject).finally(leave)
  })
}

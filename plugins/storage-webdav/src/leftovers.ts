import type { Call, Connection } from './connection.js'

/** For what is removed behind a call that was stopped. */
const limitMs = 5000

/** Removes what a put leaves behind when it fails. */
export class Leftovers {
  readonly #connection: Connection
  readonly #running = new Set<Promise<boolean>>()
  /** Could not be removed when they should have been; the server may have been away for a moment. */
  readonly #left = new Set<string>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /**
   * Never rejects. A call that was stopped does not wait for it, `settle` does.
   * @returns whether it is known to be gone
   */
  async remove(path: string, { what, signal }: Pick<Call, 'what' | 'signal'>): Promise<boolean> {
    const isStopped = signal?.aborted === true
    const limit = isStopped || signal === undefined ? AbortSignal.timeout(limitMs) : signal
    // What cannot be removed now is not in the way, and removed by another run when it is old.
    const removing = this.#connection.run({ method: 'DELETE', path, what, signal: limit }, 404).then(
      () => {
        this.#left.delete(path)
        return true
      },
      () => {
        // Other writers make collections of the same name: by the time of another attempt it may be theirs.
        if (!path.endsWith('/')) this.#left.add(path)
        return false
      },
    )
    if (!isStopped) return removing
    this.#running.add(removing)
    removing.finally(() => this.#running.delete(removing))
    return false
  }

  /** Waits for what is being removed, and tries once more what could not be. Never rejects. */
  async settle(): Promise<void> {
    const signal = AbortSignal.timeout(limitMs)
    await Promise.all(this.#running)
    // A server that has not answered so far will not do so now.
    if (signal.aborted) return
    await Promise.all([...this.#left].map((path) => this.remove(path, { what: `Cannot remove ${path}`, signal })))
  }
}

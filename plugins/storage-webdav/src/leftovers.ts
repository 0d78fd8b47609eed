import type { Call, Connection } from './connection.js'

/** For what is removed behind a call that was stopped. */
const limitMs = 5000

/** Removes what a put leaves behind when it fails. */
export class Leftovers {
  readonly #connection: Connection
  readonly #running = new Set<Promise<boolean>>()

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
      () => true,
      () => false,
    )
    if (!isStopped) return removing
    this.#running.add(removing)
    removing.finally(() => this.#running.delete(removing))
    return false
  }

  async settle(): Promise<void> {
    await Promise.all(this.#running)
  }
}

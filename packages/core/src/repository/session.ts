import { randomBytes } from 'node:crypto'
import { isPortError, type Storage } from '@bkp/plugin-api'

/** A writer's lease lives this long after its last heartbeat. */
export const sessionLifeMs = 30 * 60_000
const heartbeatMs = 5 * 60_000

export interface SessionDetails {
  readonly hostname: string
  readonly pid: number
  readonly operation: string
}

export interface SessionParts {
  /** All destinations as one: the session begins on each that the run may write to. */
  readonly storage: Storage
  /** Each of them by itself, for heartbeats: where one is missed, nothing is given up for that. */
  readonly storages: readonly Storage[]
  /** Seals the JSON of a session into a whole object. */
  readonly seal: (payload: Uint8Array) => Uint8Array
  readonly now: () => number
}

/** Tells prune that a writer is at work, and the next writer that one died. */
export class Session {
  readonly key = `sessions/${randomBytes(16).toString('hex')}`
  readonly #parts: SessionParts
  readonly #details: SessionDetails
  readonly #started: number
  #timer: NodeJS.Timeout | undefined
  #beat: Promise<unknown> = Promise.resolve()
  readonly #over = new AbortController()

  private constructor(parts: SessionParts, details: SessionDetails) {
    this.#parts = parts
    this.#details = details
    this.#started = parts.now()
  }

  static async begin(parts: SessionParts, details: SessionDetails): Promise<Session> {
    const session = new Session(parts, details)
    await parts.storage.put(session.key, session.#payload())
    session.#timer = setInterval(() => {
      const bytes = session.#payload()
      const { signal } = session.#over
      // A missed heartbeat is made up for by the next, and credentials that may not replace objects never write one. Only a
      // lease that runs out matters, and prune's grace is longer.
      session.#beat = Promise.allSettled(parts.storages.map((storage) => storage.put(session.key, bytes, { signal })))
    }, heartbeatMs)
    session.#timer.unref()
    return session
  }

  /** Stops without a trace of an end: the next writer finds a dead session, and uses what this one stored. */
  async abandon(): Promise<void> {
    clearInterval(this.#timer)
    this.#over.abort()
    await this.#beat
  }

  /** Ends the lease. Where the object cannot be removed it stays, and expires by itself. */
  async end(): Promise<void> {
    await this.abandon()
    await removeWhereAllowed(this.#parts.storage, this.key)
  }

  #payload(): Uint8Array {
    const iso = (time: number) => new Date(time).toISOString()
    const payload = JSON.stringify({
      version: 1,
      ...this.#details,
      started: iso(this.#started),
      heartbeat: iso(this.#parts.now()),
    })
    return this.#parts.seal(Buffer.from(payload))
  }
}

/** Removes an object that does no harm when it stays: where these credentials may not delete, or nobody answers any more. */
export async function removeWhereAllowed(storage: Storage, key: string): Promise<void> {
  if (!storage.capabilities.canRemove) return
  try {
    await storage.remove(key)
  } catch (error) {
    if (!isPortError(error)) throw error
  }
}

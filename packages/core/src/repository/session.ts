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
  readonly storage: Storage
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
  #beat: Promise<void> = Promise.resolve()

  private constructor(parts: SessionParts, details: SessionDetails) {
    this.#parts = parts
    this.#details = details
    this.#started = parts.now()
  }

  static async begin(parts: SessionParts, details: SessionDetails): Promise<Session> {
    const session = new Session(parts, details)
    await session.#write()
    session.#timer = setInterval(() => {
      // A missed heartbeat is made up for by the next; only a lease that runs out matters, and prune's grace is longer.
      session.#beat = session.#write().catch(() => undefined)
    }, heartbeatMs)
    session.#timer.unref()
    return session
  }

  /** Stops without a trace of an end: the next writer finds a dead session, and uses what this one stored. */
  async abandon(): Promise<void> {
    clearInterval(this.#timer)
    await this.#beat
  }

  /** Ends the lease. A storage that may not delete keeps the object; it expires by itself. */
  async end(): Promise<void> {
    await this.abandon()
    await removeWhereAllowed(this.#parts.storage, this.key)
  }

  async #write(): Promise<void> {
    const iso = (time: number) => new Date(time).toISOString()
    const payload = JSON.stringify({
      version: 1,
      ...this.#details,
      started: iso(this.#started),
      heartbeat: iso(this.#parts.now()),
    })
    await this.#parts.storage.put(this.key, this.#parts.seal(Buffer.from(payload)))
  }
}

/** Removes an object that does no harm when it stays, as it does where these credentials may not delete. */
export async function removeWhereAllowed(storage: Storage, key: string): Promise<void> {
  if (!storage.capabilities.canRemove) return
  try {
    await storage.remove(key)
  } catch (error) {
    if (!isPortError(error, 'forbidden') && !isPortError(error, 'unsupported')) throw error
  }
}

import { randomBytes } from 'node:crypto'
import { isPortError, type Storage } from '@bkp/plugin-api'
import { encodeSession, endOfSession, sessionAfter, sessionKey } from '../format/session.js'

/** A writer's lease lives this long after its last heartbeat. */
export const sessionLifeMs = 30 * 60_000
const heartbeatMs = 5 * 60_000
/** Where every heartbeat is an object that stays, every second one is enough. */
const rareHeartbeatMs = 1.5 * heartbeatMs

export interface SessionDetails {
  readonly hostname: string
  readonly pid: number
  readonly operation: string
}

export interface SessionParts {
  /** Where the lease lies; each destination has one of its own. */
  readonly storage: Storage
  /** Seals the JSON of a session into a whole object. */
  readonly seal: (payload: Uint8Array) => Uint8Array
  readonly now: () => number
}

/** Tells prune that a writer is at work, and the next writer that one died. */
export class Session {
  readonly #parts: SessionParts
  readonly #details: SessionDetails
  readonly #started: number
  readonly #keys: [string, ...string[]]
  #mayReplace = true
  #lastBeat: number
  #timer: NodeJS.Timeout | undefined
  #beat: Promise<unknown> = Promise.resolve()
  readonly #over = new AbortController()

  private constructor(parts: SessionParts, details: SessionDetails) {
    this.#parts = parts
    this.#details = details
    this.#started = parts.now()
    this.#lastBeat = this.#started
    this.#keys = [sessionKey(randomBytes(16).toString('hex'))]
  }

  static async begin(parts: SessionParts, details: SessionDetails): Promise<Session> {
    const session = new Session(parts, details)
    await session.#write(session.#keys[0])
    session.#timer = setInterval(() => {
      // A missed heartbeat is made up for by the next; only a lease that runs out matters, and prune's grace is longer.
      session.#beat = session.#renew().catch(() => undefined)
    }, heartbeatMs)
    session.#timer.unref()
    return session
  }

  /** Whether an object is of this session. */
  owns(key: string): boolean {
    return this.#keys.includes(key)
  }

  /** Stops without a trace of an end: the next writer finds a dead session, and uses what this one stored. */
  async abandon(): Promise<void> {
    clearInterval(this.#timer)
    this.#over.abort()
    await this.#beat
  }

  /** Ends the lease. */
  async end(): Promise<void> {
    await this.abandon()
    await closeSession(this.#parts.storage, this.#latest)
  }

  get #latest(): string {
    return this.#keys.at(-1) ?? this.#keys[0]
  }

  async #renew(): Promise<void> {
    if (this.#mayReplace) {
      try {
        return await this.#write(this.#latest)
      } catch (error) {
        if (!isDenied(error)) throw error
        this.#mayReplace = false
      }
    }
    if (this.#parts.now() - this.#lastBeat < rareHeartbeatMs) return
    const before = this.#latest
    const after = sessionAfter(before)
    await this.#write(after)
    this.#keys.push(after)
    await removeWhereAllowed(this.#parts.storage, before)
  }

  async #write(key: string): Promise<void> {
    const iso = (time: number) => new Date(time).toISOString()
    const now = this.#parts.now()
    const payload = encodeSession({ ...this.#details, started: iso(this.#started), heartbeat: iso(now) })
    // A heartbeat that is on its way when the session ends is not waited for.
    await this.#parts.storage.put(key, this.#parts.seal(payload), { signal: this.#over.signal })
    this.#lastBeat = now
  }
}

/**
 * Has a session, whose writer has ended or died, looked at by nobody any more: removes it, or says beside it that it is over
 * where these credentials may not delete. Where neither can be done it runs out by itself.
 */
export async function closeSession(storage: Storage, key: string): Promise<void> {
  if (await removeWhereAllowed(storage, key)) return
  try {
    await storage.put(endOfSession(key), new Uint8Array(0))
  } catch (error) {
    if (!isPortError(error)) throw error
  }
}

/** @returns whether it is gone, or the attempt failed for a reason that passes */
async function removeWhereAllowed(storage: Storage, key: string): Promise<boolean> {
  if (!storage.capabilities.canRemove) return false
  try {
    await storage.remove(key)
    return true
  } catch (error) {
    if (!isPortError(error)) throw error
    return !isDenied(error)
  }
}

function isDenied(error: unknown): boolean {
  return (['forbidden', 'unsupported', 'already-exists'] as const).some((code) => isPortError(error, code))
}

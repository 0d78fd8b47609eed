import { type Logger, PortError } from '@bkp/plugin-api'
import type { Session } from './session.js'

/** What moves less is done on a connection that is there: to open one takes longer. */
const bulkBytes = 1024 * 1024

/**
 * Connections, opened when they are needed, up to a limit, and again when they were lost. OpenSSH takes at most 2 MiB per
 * channel before it has to answer, so on a long line several should carry more than one. On loopback 1, 2, 4 and 8 were
 * equally fast within the noise; a long line was not measured.
 */
export class SessionPool {
  readonly #connect: (signal: AbortSignal) => Promise<Session>
  readonly #limit: number
  readonly #log: Logger
  #sessions: Session[]
  readonly #opening = new Set<Promise<unknown>>()
  /** Fewer than the limit when the server takes no more. */
  #allowed: number
  readonly #closing = new AbortController()

  /** @param connect is told by its signal that nobody waits for the connection any more */
  constructor(connect: (signal: AbortSignal) => Promise<Session>, limit: number, log: Logger, first: Session) {
    this.#sessions = [first]
    this.#connect = connect
    this.#limit = limit
    this.#allowed = limit
    this.#log = log
  }

  /**
   * Runs `action` with the connection that has least to do; with one of its own, where there may be one, when it moves much.
   * @param bytes that it moves
   */
  async run<T>(bytes: number, action: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.#take(bytes >= bulkBytes)
    try {
      return await action(session)
    } finally {
      session.load--
    }
  }

  /** Runs `action` with a connection that is there; opens none for it. */
  async runIfConnected(action: (session: Session) => Promise<void>): Promise<void> {
    const session = this.#sessions.find(({ isLost }) => !isLost)
    if (session !== undefined) await action(session)
  }

  close(): void {
    // A server that is silent would keep the process waiting for a connection that nobody needs.
    this.#closing.abort(new PortError('config', 'The storage is closed'))
    for (const session of this.#sessions) session.end('the storage was closed')
    this.#sessions = []
  }

  async #take(isBulk: boolean): Promise<Session> {
    for (;;) {
      this.#closing.signal.throwIfAborted()
      this.#sessions = this.#sessions.filter((session) => !session.isLost)
      const best = this.#sessions.reduce<Session | undefined>(
        (least, session) => (least === undefined || session.load < least.load ? session : least),
        undefined,
      )
      if (best !== undefined && (best.load === 0 || !isBulk)) return taken(best)
      if (this.#sessions.length === 0) this.#allowed = this.#limit
      if (this.#sessions.length + this.#opening.size < this.#allowed) this.#open()
      else if (this.#opening.size === 0 && best !== undefined) return taken(best)
      await this.#oneMore()
    }
  }

  #open(): void {
    const opening = this.#connect(this.#closing.signal).then((session) => {
      if (this.#closing.signal.aborted) session.end('the storage was closed')
      else this.#sessions.push(session)
    })
    this.#opening.add(opening)
    // Whoever waits for it is told by `#oneMore`.
    opening.then(
      () => this.#opening.delete(opening),
      () => this.#opening.delete(opening),
    )
  }

  /** Waits until a connection was opened. @throws what it failed with, unless others are open */
  async #oneMore(): Promise<void> {
    try {
      await Promise.race(this.#opening)
    } catch (error) {
      if (this.#sessions.every((session) => session.isLost)) throw error
      this.#allowed = this.#sessions.length
      this.#log.debug('The server takes no more connections', {
        open: this.#sessions.length,
        reason: (error as Error).message,
      })
    }
  }
}

function taken(session: Session): Session {
  session.load++
  return session
}

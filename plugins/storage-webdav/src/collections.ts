import type { Call, Connection } from './connection.js'
import { parentOf } from './keys.js'
import { look } from './looking.js'

type Context = Pick<Call, 'what' | 'signal'>

/** The collections below the root that are known to be there. */
export class Collections {
  readonly #connection: Connection
  /** Paths with a slash at the end. */
  readonly #known = new Set<string>()
  readonly #beingMade = new Map<string, Promise<void>>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** Forgets what was known, in case others have removed collections. */
  forget(): void {
    this.#known.clear()
  }

  /**
   * Makes a collection and those above it, below the root; never the root itself.
   * @param path with a slash at the end, or ''
   */
  async make(path: string, context: Context): Promise<void> {
    if (path === '' || this.#known.has(path)) return
    const running = this.#beingMade.get(path)
    if (running !== undefined) {
      // The other call may be stopped by its own signal; then this one does it.
      await untilEnded(running, context.signal)
      if (this.#known.has(path)) return
    }
    const making = this.#make(path, context)
    this.#beingMade.set(path, making)
    try {
      await making
    } finally {
      if (this.#beingMade.get(path) === making) this.#beingMade.delete(path)
    }
  }

  async #make(path: string, context: Context): Promise<void> {
    await this.make(parentOf(path), context)
    await makeCollection(this.#connection, path, context)
    this.#known.add(path)
  }
}

/** Makes the root with all collections that are missing above it. */
export function makeRoot(connection: Connection, context: Context): Promise<void> {
  return makeWithParents(connection, new URL(connection.root).pathname, context)
}

/** From below: what lies above is often none of our business, and may not even be looked at. */
async function makeWithParents(connection: Connection, path: string, context: Context): Promise<void> {
  const call = mkcol(path, context)
  const answer = await connection.run(call, 403, 404, 405, 409)
  if (answer.ok || answer.status === 405) return
  if (answer.status === 403 || path === '/') throw connection.refusal(answer, call)
  await makeWithParents(connection, parentOf(path), context)
  await makeCollection(connection, path, context)
}

async function makeCollection(connection: Connection, path: string, context: Context): Promise<void> {
  const call = mkcol(path, context)
  const answer = await connection.run(call, 403, 405)
  // Method Not Allowed says that something is there.
  if (answer.status !== 403) return
  // Apache says Forbidden to whoever loses a race.
  if ((await look(connection, { path, ...context }))?.kind !== 'collection') throw connection.refusal(answer, call)
}

function mkcol(path: string, { what, signal }: Context): Call {
  return { method: 'MKCOL', path, what, signal }
}

/** Waits for what another call does; its failure is that call's. @throws the signal's reason */
async function untilEnded(running: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  const ended = running.then(
    () => undefined,
    () => undefined,
  )
  if (signal === undefined) return ended
  signal.throwIfAborted()
  let stop = () => {}
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop)
  })
  try {
    await Promise.race([ended, stopped])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

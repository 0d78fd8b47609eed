import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { PortError } from '@bkp/plugin-api'
import type { Call, Connection } from './connection.js'
import { pathOfKey } from './keys.js'
import type { Leftovers } from './leftovers.js'
import { look } from './looking.js'
import { temporaryCollection } from './temporary-files.js'

type Context = Pick<Call, 'what' | 'signal'>

const pollMs = 50
/** How long a writer waits for another; then core may try again. */
const patienceMs = 30_000
/** Refusals in a row without a claim that explains them, after which this user may make none. */
const mostUnexplained = 3

/**
 * Lets one writer at a time create an object. If-None-Match and `Overwrite: F` are no use in a race: servers look first
 * and rename later (measured: Apache let up to 44 of 64 win by the header and 7 of 8 by the move, nginx ignores the
 * header). To make a collection had one winner in every race, on both: mkdir succeeds once.
 */
export class Claims {
  readonly #connection: Connection
  readonly #leftovers: Leftovers
  /** Our own that could not be released, e.g. for a lost connection. */
  readonly #unreleased = new Set<string>()

  constructor(connection: Connection, leftovers: Leftovers) {
    this.#connection = connection
    this.#leftovers = leftovers
  }

  /**
   * Runs `create` while no other writer may create `key`. The collection for temporary files has to be there.
   * @param lifeMs a claim that is older was left by a writer that died; much longer than `create` takes
   * @throws PortError `already-exists`
   */
  async whileClaimed<T>(key: string, lifeMs: number, context: Context, create: () => Promise<T>): Promise<T> {
    const path = `${temporaryCollection}claim-${createHash('sha256').update(key).digest('hex').slice(0, 40)}/`
    await this.#take(path, key, lifeMs, context)
    try {
      // It may have been created between the caller's look and the claim.
      await this.refuseExisting(key, context)
      return await create()
    } finally {
      // One that stays is harmless: it counts no longer once the object is there, or after a while.
      if (!(await this.#leftovers.remove(path, context))) this.#unreleased.add(path)
    }
  }

  /** @throws PortError `already-exists` */
  async refuseExisting(key: string, context: Context): Promise<void> {
    const found = await look(this.#connection, { path: pathOfKey(key), ...context })
    if (found !== undefined) throw alreadyExists(this.#connection, key)
  }

  async #take(path: string, key: string, lifeMs: number, context: Context): Promise<void> {
    const deadline = Date.now() + patienceMs
    const call: Call = { method: 'MKCOL', path, ...context }
    let unexplained = 0
    while (true) {
      const answer = await this.#connection.run(call, 403, 405)
      if (answer.ok || this.#unreleased.delete(path)) return
      await this.refuseExisting(key, context)
      const claim = await look(this.#connection, { path, ...context })
      if (claim === undefined && answer.status === 403) {
        // Apache says so too of a collection that another makes at this moment, which may be gone again by our look.
        await this.refuseExisting(key, context)
        if (++unexplained === mostUnexplained) throw this.#connection.refusal(answer, call)
        continue
      }
      const ageMs = Date.parse(answer.headers.get('date') ?? '') - (claim?.modifiedMs ?? Number.NaN)
      if (ageMs > lifeMs) {
        await this.#leftovers.remove(path, context)
        // Who may not delete goes on without a claim of its own.
        if ((await look(this.#connection, { path, ...context })) !== undefined) return
      } else if (Date.now() > deadline) {
        throw new PortError('transient', `${context.what}: another writer is about to create it`)
      } else {
        await pause(context.signal)
      }
    }
  }
}

export function alreadyExists(connection: Connection, key: string): PortError {
  return new PortError('already-exists', `There is an object ${key} at ${connection.root} already`)
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  // What sleep rejects with is not the signal's reason.
  await sleep(pollMs, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted())
}

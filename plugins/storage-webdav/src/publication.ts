import { type Logger, PortError, type PutOptions } from '@bkp/plugin-api'
import type { Answer } from './answer.js'
import { alreadyExists, Claims } from './claims.js'
import { Collections } from './collections.js'
import type { Call, Connection } from './connection.js'
import { rootMissing } from './errors.js'
import { parentOf, pathOfKey } from './keys.js'
import type { Leftovers } from './leftovers.js'
import { look } from './looking.js'
import type { Settings } from './settings.js'
import { removeStale, temporaryCollection, temporaryPath } from './temporary-files.js'
import { findWay, moveHeaders, type Way } from './way.js'

type Context = Pick<Call, 'what' | 'signal'>
/** What a rename, and what an upload in place may take at most before another writer goes on. */
const renamingMs = 60_000
const uploadingMs = 5 * 60_000

type Purpose = 'create' | 'replace'

/** Says that a collection on the way to the object is missing. */
class ParentMissing extends Error {
  constructor(readonly refusal: PortError) {
    super(refusal.message)
  }
}

/** Puts objects where readers see them, whole or not at all. */
export class Publication {
  readonly #connection: Connection
  readonly #collections: Collections
  readonly #leftovers: Leftovers
  readonly #claims: Claims
  readonly #wanted: Settings['publication']
  readonly #log: Logger
  /** Keys that were there when they were put; of a repository these are few, and small. */
  readonly #replaced = new Set<string>()
  #way: Way | undefined

  constructor(connection: Connection, leftovers: Leftovers, wanted: Settings['publication'], log: Logger) {
    this.#connection = connection
    this.#collections = new Collections(connection)
    this.#leftovers = leftovers
    this.#claims = new Claims(connection, leftovers)
    this.#wanted = wanted
    this.#log = log
  }

  async publish(key: string, data: Uint8Array, { ifAbsent = false, signal }: PutOptions): Promise<void> {
    const context = { what: `Cannot store ${key}`, signal }
    const way = this.#way ?? (await this.#prepare(context))
    if (ifAbsent) await this.#claims.refuseExisting(key, context)
    const path = pathOfKey(key)
    const isReplaced = !ifAbsent && this.#replaced.has(key)
    const store = async () => {
      await this.#collections.make(parentOf(path), context)
      if (way !== 'put' || ifAbsent) await this.#collections.make(temporaryCollection, context)
      if (way !== 'put' && !isReplaced) {
        return this.#uploadAndMove(key, data, way, ifAbsent ? 'create' : 'replace', context)
      }
      if (!ifAbsent) return this.#upload(path, data, context)
      return this.#claims.whileClaimed(key, uploadingMs, context, () =>
        this.#upload(path, data, context, { 'If-None-Match': '*' }),
      )
    }
    try {
      await store()
    } catch (error) {
      if (!(error instanceof ParentMissing)) throw error
      await this.#storeAgain(store, context)
    }
  }

  /** Others may have removed collections that we know. */
  async #storeAgain(store: () => Promise<void>, context: Context): Promise<void> {
    this.#collections.forget()
    const root = await look(this.#connection, { path: '', ...context })
    if (root === undefined) throw rootMissing(this.#connection.root)
    await store().catch((error: unknown) => {
      throw error instanceof ParentMissing ? error.refusal : error
    })
  }

  async #prepare(context: Context): Promise<Way> {
    const way = await findWay(this.#connection, this.#wanted, context)
    await removeStale(this.#connection, context)
    if (this.#wanted === 'auto' && way === 'put') {
      this.#log.info('The server refuses to rename (MOVE): objects are uploaded in place', {
        url: this.#connection.root,
      })
    }
    this.#way = way
    return way
  }

  async #uploadAndMove(key: string, data: Uint8Array, way: Way, purpose: Purpose, context: Context): Promise<void> {
    const temporary = temporaryPath()
    try {
      await this.#upload(temporary, data, context)
      const move = () => this.#move(temporary, key, way, purpose, context)
      const outcome =
        purpose === 'create' ? await this.#claims.whileClaimed(key, renamingMs, context, move) : await move()
      if (outcome === 'moved') return
    } catch (error) {
      await this.#leftovers.remove(temporary, context)
      throw error
    }
    await this.#leftovers.remove(temporary, context)
    await this.#replace(key, data, context)
  }

  /** Servers that are in use write a file of their own and rename it, so that readers see the old object or the new. */
  async #replace(key: string, data: Uint8Array, context: Context): Promise<void> {
    const path = pathOfKey(key)
    if ((await look(this.#connection, { path, ...context }))?.kind === 'collection') {
      throw new PortError('unsupported', `${context.what}: there is a folder of that name at ${this.#connection.root}`)
    }
    await this.#upload(path, data, context)
    this.#replaced.add(key)
  }

  async #upload(path: string, data: Uint8Array, context: Context, headers: Call['headers'] = {}): Promise<void> {
    const call: Call = {
      method: 'PUT',
      path,
      body: data,
      headers: { 'Content-Type': 'application/octet-stream', ...headers },
      ...context,
    }
    const answer = await this.#connection.run(call, 403, 404, 409, 412, 500)
    if (answer.status === 412) throw alreadyExists(this.#connection, path)
    await this.#expectParent(answer, call)
  }

  async #move(from: string, key: string, way: Way, purpose: Purpose, context: Context): Promise<'moved' | 'exists'> {
    // Never with `Overwrite: T`: Apache and others remove the old object before they rename, so that there is none for a
    // while; and a collection of that name would go with all that is in it.
    const headers = moveHeaders(this.#connection.root, pathOfKey(key), way, 'F')
    const call: Call = { method: 'MOVE', path: from, headers, ...context }
    const answer = await this.#connection.run(call, 404, 409, 412, ...(way === 'move-to-path' ? [400] : []))
    if (answer.status === 400) {
      // Found out while the server was not itself, as it seems: the next attempt looks again.
      this.#way = undefined
      const { message } = this.#connection.refusal(answer, call)
      throw new PortError('transient', `${message}; it takes no path as a destination`)
    }
    if (answer.status !== 412) {
      await this.#expectParent(answer, call)
      return 'moved'
    }
    if (purpose === 'create') throw alreadyExists(this.#connection, key)
    return 'exists'
  }

  /** @throws ParentMissing where a collection above is missing, for which servers have several words */
  async #expectParent(answer: Answer, call: Call): Promise<void> {
    if (answer.ok) return
    const refusal = this.#connection.refusal(answer, call)
    if (answer.status === 404 || answer.status === 409) throw new ParentMissing(refusal)
    // nginx says Internal Server Error, others Forbidden.
    const { what, signal } = call
    const parent = await look(this.#connection, { path: parentOf(call.path), what, signal })
    throw parent === undefined ? new ParentMissing(refusal) : refusal
  }
}

import {
  type CallOptions,
  type GetOptions,
  type Logger,
  PortError,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import type { Connection } from './connection.js'
import { rootMissing } from './errors.js'
import { isKey, pathOfKey } from './keys.js'
import { Leftovers } from './leftovers.js'
import { clockOf, look } from './looking.js'
import { Publication } from './publication.js'
import { read, sizeOf } from './reading.js'
import type { Settings } from './settings.js'
import { walk } from './walk.js'

/** Objects as files below a collection of a WebDAV server. */
export class WebdavStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #connection: Connection
  readonly #leftovers: Leftovers
  readonly #publication: Publication

  constructor(connection: Connection, settings: Settings, log: Logger) {
    this.#connection = connection
    this.#leftovers = new Leftovers(connection)
    this.#publication = new Publication(connection, this.#leftovers, settings.publication, log)
    this.capabilities = {
      conditionalCreate: true,
      listing: 'strong',
      canRemove: true,
      maxObjectBytes: Number.MAX_SAFE_INTEGER,
      concurrency: settings.concurrency,
      isLocal: false,
      objectLock: false,
    }
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    checkKey(key)
    await this.#publication.publish(key, data, options)
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    checkKey(key)
    return read(this.#connection, key, options)
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    signal?.throwIfAborted()
    checkKey(key)
    return { key, sizeBytes: await sizeOf(this.#connection, key, { what: `Cannot look at ${key}`, signal }) }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    signal?.throwIfAborted()
    const start = prefix.slice(0, prefix.lastIndexOf('/'))
    if (start !== '' && !isKey(start)) return
    const outcome = yield* walk({ connection: this.#connection, prefix, signal })
    if (outcome === 'walked') return
    // Nothing below a repository that is there is an empty list; a repository that is gone is an error.
    const question = { path: '', what: `Cannot list ${this.#connection.root}`, signal }
    if ((await look(this.#connection, question)) === undefined) throw rootMissing(this.#connection.root)
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    checkKey(key)
    const what = `Cannot remove ${key}`
    // A server takes a collection away with all that is in it.
    if ((await look(this.#connection, { path: pathOfKey(key), what, signal }))?.kind !== 'object') return
    await this.#connection.run({ method: 'DELETE', path: pathOfKey(key), what, signal }, 404, 410)
  }

  async now({ signal }: CallOptions = {}): Promise<number> {
    signal?.throwIfAborted()
    return clockOf(this.#connection, { path: '', what: 'Cannot read the clock of the server', signal })
  }

  async close(): Promise<void> {
    await this.#leftovers.settle()
    this.#connection.close()
  }
}

function checkKey(key: string): void {
  if (!isKey(key)) throw new PortError('config', `"${key}" is not a legal key`)
}

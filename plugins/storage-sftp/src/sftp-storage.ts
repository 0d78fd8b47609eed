import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  rangeWithin,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { isMissing, toWriteError, wrap } from './errors.js'
import { type Folders, isFolder, join, look, parentOf, rootMissing, syncFolder } from './folders.js'
import { interruptible } from './interruption.js'
import { isKey } from './keys.js'
import { listObjects } from './listing.js'
import { type Leftovers, publish, removeLeftover } from './publication.js'
import type { Session } from './session.js'
import type { SessionPool } from './session-pool.js'
import { temporaryFolder } from './temporary-files.js'
import { readAll } from './transfer.js'

/** How long `close` waits for aborted calls to clear up behind themselves, and for folders that nobody uses to be removed. */
const tidyMs = 5000

export interface SftpStorageOptions {
  readonly conditionalCreate: boolean
  readonly concurrency: number
  readonly isDurable: boolean
}

/** Objects as files below a folder of an SSH server, one file each. Only regular files are objects. */
export class SftpStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #pool: SessionPool
  readonly #root: string
  readonly #folders: Folders
  readonly #isDurable: boolean
  readonly #leftovers: Leftovers = new Set()
  readonly #running = new Map<Promise<unknown>, AbortSignal | undefined>()

  constructor(pool: SessionPool, root: string, folders: Folders, options: SftpStorageOptions) {
    this.#pool = pool
    this.#root = root
    this.#folders = folders
    this.#isDurable = options.isDurable
    this.capabilities = {
      conditionalCreate: options.conditionalCreate,
      listing: 'strong',
      canRemove: true,
      maxObjectBytes: Number.MAX_SAFE_INTEGER,
      concurrency: options.concurrency,
      isLocal: false,
      objectLock: false,
    }
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    this.#checkKey(key)
    const call = { what: `Cannot store ${key}`, signal: options.signal, bytes: data.length }
    await this.#run(call, async (session, pointOfNoReturn) => {
      const store = async () => {
        await this.#makeFolders(session, key, data.length)
        await publish(
          {
            session,
            root: this.#root,
            key,
            data,
            mode: options.ifAbsent ? 'create' : 'replace',
            isDurable: this.#isDurable,
            signal: options.signal,
            pointOfNoReturn,
          },
          this.#leftovers,
        )
      }
      await this.#removeLeftovers(session)
      await store().catch(async (error: unknown) => {
        if (!isMissing(error)) throw error
        // Others may tidy empty folders away; nothing was published yet.
        this.#folders.forget()
        await store()
      })
    })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    this.#checkKey(key)
    const path = join(this.#root, key)
    const call = { what: `Cannot read ${key}`, signal: options.signal }
    // Opened only when it is a file: a pipe would keep the server waiting for a writer.
    const sizeBytes = await this.#sizeOf(key, call)
    const bytes = options.length ?? options.into?.length ?? sizeBytes
    return this.#run({ ...call, bytes }, async (session) => {
      const handle = await session.open(path, 'r').catch((error: unknown) => {
        throw isMissing(error) ? objectMissing(key, path) : error
      })
      try {
        return await this.#read(session, handle, key, sizeBytes, options)
      } finally {
        // Nobody has to wait for it. What it is told when the connection is lost, the reads were told before.
        void session.close(handle).catch(() => undefined)
      }
    })
  }

  async stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    this.#checkKey(key)
    return { key, sizeBytes: await this.#sizeOf(key, { what: `Cannot look at ${key}`, signal: options.signal }) }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    const call = { what: `Cannot list ${this.#root}`, signal }
    const isThere = await this.#run(call, (session) => isFolder(session, this.#root))
    if (!isThere) throw rootMissing(this.#root)
    yield* listObjects(prefix, this.#root, {
      run: (action) => this.#run(call, action),
      check: (session, folder) => this.#folders.check(session, folder),
      signal,
    })
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    this.#checkKey(key)
    const path = join(this.#root, key)
    const call = { what: `Cannot remove ${key}`, signal: options.signal }
    await this.#run(call, async (session, pointOfNoReturn) => {
      await this.#folders.check(session, parentOf(key))
      if (!(await look(session, path))?.isFile()) return
      pointOfNoReturn()
      await session.unlink(path).catch((error: unknown) => {
        if (!isMissing(error)) throw error
      })
      if (this.#isDurable) await syncFolder(session, join(this.#root, parentOf(key)))
    })
  }

  async close(): Promise<void> {
    const tidying = [...this.#running].filter(([, signal]) => signal?.aborted).map(([running]) => running)
    const tidied = Promise.all(tidying).then(() =>
      this.#pool.runIfConnected((session) => this.#folders.removeUnused(session)),
    )
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise((resolve) => {
      timer = setTimeout(resolve, tidyMs)
    })
    await Promise.race([tidied, enough])
    clearTimeout(timer)
    this.#pool.close()
    this.#folders.forget()
  }

  #sizeOf(key: string, call: Call): Promise<number> {
    const path = join(this.#root, key)
    return this.#run(call, async (session) => {
      await this.#folders.check(session, parentOf(key))
      const found = await look(session, path)
      if (!found?.isFile()) throw objectMissing(key, path)
      return found.size
    })
  }

  /** The size is asked for again while it is read: another object may have been put since. */
  async #read(
    session: Session,
    handle: Buffer,
    key: string,
    likelySize: number,
    options: GetOptions,
  ): Promise<Uint8Array> {
    const readAs = async (sizeBytes: number) => {
      const { offset, length } = rangeWithin(key, sizeBytes, options)
      const bytes = options.into ?? Buffer.allocUnsafeSlow(length)
      await readAll(session, handle, offset, bytes, key, options.signal)
      return bytes
    }
    const [size, read] = await Promise.allSettled([session.handleStat(handle), readAs(likelySize)])
    if (size.status === 'rejected') throw size.reason
    if (size.value.size !== likelySize) return readAs(size.value.size)
    if (read.status === 'rejected') throw read.reason
    return read.value
  }

  async #makeFolders(session: Session, key: string, sizeBytes: number): Promise<void> {
    try {
      await this.#folders.make(session, temporaryFolder)
      await this.#folders.make(session, parentOf(key))
    } catch (error) {
      if (isMissing(error)) throw error
      throw await toWriteError(error, `Cannot make the folder of ${key}`, session, this.#root, sizeBytes)
    }
  }

  /** What an earlier call could not remove, since its connection was lost. */
  async #removeLeftovers(session: Session): Promise<void> {
    for (const path of [...this.#leftovers]) await removeLeftover(session, path, this.#leftovers)
  }

  #run<T>(
    { what, signal, bytes = 0 }: Call,
    action: (session: Session, pointOfNoReturn: () => void) => Promise<T>,
  ): Promise<T> {
    return interruptible(signal, (pointOfNoReturn) => {
      const running = this.#pool.run(bytes, (session) => wrap(what, () => action(session, pointOfNoReturn)))
      const settled: Promise<unknown> = running.then(
        () => this.#running.delete(settled),
        () => this.#running.delete(settled),
      )
      this.#running.set(settled, signal)
      return running
    })
  }

  #checkKey(key: string): void {
    if (!isKey(key)) throw new PortError('config', `"${key}" is not a legal key`)
  }
}

interface Call {
  /** Begins messages of what goes wrong. */
  readonly what: string
  readonly signal: AbortSignal | undefined
  /** That it moves, as far as that is known. */
  readonly bytes?: number
}

function objectMissing(key: string, path: string): PortError {
  return new PortError('not-found', `There is no object ${key} (${path})`)
}

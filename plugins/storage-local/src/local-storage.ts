import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, mkdir, open, opendir, rename, rm, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type CallOptions,
  type GetOptions,
  PortError,
  type PutOptions,
  type Storage,
  type StorageRequest,
  type StoredObject,
} from '@bkp/plugin-api'
import { toPortError } from './errors.js'

const temporaryFolder = 'tmp'
/** A temporary file that old belongs to a run that is dead. */
const temporaryLifeMs = 24 * 60 * 60_000
/** Tells our own temporary files from those of other machines on a shared disk. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 12)
const keyPattern = /^(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]{1,128}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]{1,128})*$/

/** Opens a folder as a storage. @throws PortError `not-found` when it must be there and is not */
export async function openLocalStorage(request: StorageRequest): Promise<Storage> {
  const root = request.url.startsWith('file:') ? fileURLToPath(request.url) : request.url
  if (request.intent === 'create') {
    await wrap(`Cannot make the folder ${root}`, () => mkdir(root, { recursive: true, mode: 0o700 }))
  } else if (!(await isFolder(root))) {
    throw folderGone(root)
  }
  const storage = new LocalStorage(root)
  await storage.removeStale(Date.now())
  return storage
}

/** Objects as files below a folder, one file each. */
export class LocalStorage implements Storage {
  readonly capabilities = {
    conditionalCreate: true,
    listing: 'strong',
    canRemove: true,
    maxObjectBytes: Number.MAX_SAFE_INTEGER,
    concurrency: 4,
    isLocal: true,
    objectLock: false,
  } as const
  readonly #root: string
  readonly #folders = new Set<string>()

  constructor(root: string) {
    this.#root = root
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    const name = `${machine}-${process.pid}-${randomBytes(8).toString('hex')}`
    const temporary = join(this.#root, temporaryFolder, name)
    await wrap(`Cannot store ${key}`, async () => {
      try {
        await this.#makeFolder(temporaryFolder)
        await this.#makeFolder(key.slice(0, Math.max(0, key.lastIndexOf('/'))))
        await writeDurably(temporary, data, options.signal)
        // A link fails where the name is taken, a rename replaces: both are atomic.
        if (options.ifAbsent) await link(temporary, path)
        else await rename(temporary, path)
      } catch (error) {
        await rm(temporary, { force: true })
        const isGone = (error as NodeJS.ErrnoException).code === 'ENOENT' && !(await isFolder(this.#root))
        throw isGone ? folderGone(this.#root) : error
      }
      if (options.ifAbsent) await unlink(temporary)
      await syncFolder(dirname(path))
    })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    return wrapReading(`Cannot read ${key}`, async () => {
      const file = await open(path, 'r')
      try {
        const { size } = await file.stat()
        const offset = options.offset ?? 0
        const length = options.length ?? size - offset
        if (offset < 0 || length < 0 || offset + length > size) {
          throw new PortError(
            'range-invalid',
            `${key} has ${size} bytes; ${offset} to ${offset + length} were asked for`,
          )
        }
        return await readFully(file, offset, options.into ?? Buffer.allocUnsafeSlow(length), key)
      } finally {
        await file.close()
      }
    })
  }

  async stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    const { size } = await wrap(`Cannot look at ${key}`, () => stat(path))
    return { key, sizeBytes: size }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    if (!(await isFolder(this.#root))) throw folderGone(this.#root)
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    const folders = [start]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      options.signal?.throwIfAborted()
      const entries = await readFolder(join(this.#root, folder))
      for (const { name, isFolder: isDirectory } of entries) {
        const key = `${folder}${name}`
        if (!keyPattern.test(key) || key === temporaryFolder) continue
        if (isDirectory) {
          if (key.startsWith(prefix) || prefix.startsWith(`${key}/`)) folders.push(`${key}/`)
        } else if (key.startsWith(prefix)) {
          const found = await this.#statIfThere(key)
          if (found !== undefined) yield found
        }
      }
    }
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    await wrap(`Cannot remove ${key}`, async () => {
      await rm(path, { force: true })
      if (await isFolder(dirname(path))) await syncFolder(dirname(path))
    })
  }

  async close(): Promise<void> {
    this.#folders.clear()
  }

  /** Removes temporary files of runs that were killed. */
  async removeStale(now: number): Promise<void> {
    const folder = join(this.#root, temporaryFolder)
    for (const { name } of await readFolder(folder)) {
      const path = join(folder, name)
      const found = await stat(path).catch(() => undefined)
      const isOld = found !== undefined && now - found.mtimeMs > temporaryLifeMs
      // Whoever may not delete there leaves it to whoever may.
      const [owner, pid] = name.split('-')
      const isDead = owner === machine && !isAlive(Number(pid))
      if (isOld || isDead) await rm(path, { force: true }).catch(() => undefined)
    }
  }

  #path(key: string): string {
    if (!keyPattern.test(key) || key.length > 512) throw new PortError('config', `"${key}" is not a legal key`)
    return join(this.#root, key)
  }

  /**
   * The folder of the repository itself is never made again: where a disk was unmounted, a run would go on beside it.
   * @param folder below it, without a slash at its end; empty for itself
   */
  async #makeFolder(folder: string): Promise<void> {
    if (folder === '' || this.#folders.has(folder)) return
    await this.#makeFolder(folder.slice(0, Math.max(0, folder.lastIndexOf('/'))))
    const path = join(this.#root, folder)
    try {
      await mkdir(path, { mode: 0o700 })
      await syncFolder(dirname(path))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    this.#folders.add(folder)
  }

  async #statIfThere(key: string): Promise<StoredObject | undefined> {
    try {
      return await this.stat(key)
    } catch (error) {
      if (error instanceof PortError && error.code === 'not-found') return undefined
      throw error
    }
  }
}

function folderGone(root: string): PortError {
  return new PortError('not-found', `There is no folder ${root}`, {
    hint: 'Check the path, and that the disk is mounted',
  })
}

async function writeDurably(path: string, data: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    await file.writeFile(data, signal === undefined ? {} : { signal })
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function readFully(file: FileHandle, offset: number, bytes: Uint8Array, key: string): Promise<Uint8Array> {
  const { length } = bytes
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new PortError('transient', `${key} became shorter while it was read`)
    done += bytesRead
  }
  return bytes
}

/** Makes names in a folder durable. Not every system can open a folder; there the name is as durable as it gets. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function readFolder(path: string): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = []
  try {
    for await (const entry of await opendir(path)) entries.push({ name: entry.name, isFolder: entry.isDirectory() })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw toPortError(error, `Cannot list ${path}`)
  }
  return entries
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw toPortError(error, `Cannot look at ${path}`)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The disk has tried for long itself: sectors that it gives up on are damage of what lies there. */
async function wrapReading<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await wrap(what, action)
  } catch (error) {
    if (!(error instanceof PortError) || (error.cause as NodeJS.ErrnoException | undefined)?.code !== 'EIO') throw error
    throw new PortError('corrupt', error.message, {
      cause: error.cause,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  }
}

async function wrap<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    if (error instanceof PortError || (error as Error).name === 'AbortError') throw error
    throw toPortError(error, what)
  }
}

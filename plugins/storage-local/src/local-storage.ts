import { mkdir, rename } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
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
import { wrap, wrapReading } from './errors.js'
import {
  isFolder,
  isMissing,
  isSystemError,
  look,
  lookAtRoot,
  openObject,
  type RootIdentity,
  readFolder,
  readFully,
  syncFolder,
  unlinkIfThere,
  writeDurably,
} from './files.js'
import { Folders, linkRefused, rootMissing } from './folders.js'
import { isKey } from './keys.js'
import { refuseUnmounted } from './mounts.js'
import { nameOnce } from './once.js'
import { removeStale, temporaryFolder, temporaryName } from './temporary-files.js'

/** Opens a folder as a storage. @throws PortError `not-found` when it must be there and is not */
export async function openLocalStorage(request: StorageRequest): Promise<Storage> {
  const root = request.url.startsWith('file:') ? fileURLToPath(request.url) : request.url
  if (request.intent === 'create') {
    await refuseUnmounted(root)
    await wrap(`Cannot make the folder ${root}`, () => makeRoot(root))
  }
  const opened = await wrap(`Cannot open the folder ${root}`, () => lookAtRoot(root))
  if (opened === undefined) throw rootMissing(root)
  await wrap(`Cannot open the folder ${root}`, () => removeStale(root, Date.now()))
  return new LocalStorage(root, opened)
}

/** Objects as files below a folder, one file each. Only regular files are objects. */
export class LocalStorage implements Storage {
  readonly capabilities = {
    conditionalCreate: true,
    listing: 'strong',
    canRemove: true,
    maxObjectBytes: Number.MAX_SAFE_INTEGER,
    concurrency: 4,
    isLocal: true,
    objectLock: false,
    sharedMemory: true,
  } as const
  readonly #root: string
  readonly #folders: Folders

  /** @param opened which folder the root is now; it is looked at again, lest another takes its place */
  constructor(root: string, opened: RootIdentity) {
    this.#root = root
    this.#folders = new Folders(root, opened)
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    // Refuses what is no key.
    this.#path(key)
    const store = async () => {
      await this.#folders.checkRoot()
      await this.#folders.make(temporaryFolder)
      await this.#folders.make(dirname(key))
      await this.#publish(key, data, options)
    }
    const storeAgain = async (error: unknown) => {
      if (!isSystemError(error, 'ENOENT')) throw error
      // Nothing was published yet.
      await this.#folders.lookAgain()
      await store()
    }
    await wrap(`Cannot store ${key}`, () => store().catch(storeAgain), options.signal)
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    return wrapReading(`Cannot read ${key}`, async () => {
      await this.#folders.check(dirname(key))
      const opened = await openObject(path)
      if (opened === undefined) throw await this.#missing(key)
      const { file, sizeBytes } = opened
      try {
        const offset = options.offset ?? 0
        const length = options.length ?? sizeBytes - offset
        if (offset < 0 || length < 0 || offset + length > sizeBytes) {
          throw new PortError(
            'range-invalid',
            `${key} has ${sizeBytes} bytes; ${offset} to ${offset + length} were asked for`,
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
    const found = await wrap(`Cannot look at ${key}`, async () => {
      await this.#folders.check(dirname(key))
      return look(path)
    })
    if (!found?.isFile()) throw await this.#missing(key)
    return { key, sizeBytes: found.size }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    options.signal?.throwIfAborted()
    await wrap(`Cannot list ${this.#root}`, () => this.#folders.checkRoot())
    const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
    if (start !== '' && !isKey(start.slice(0, -1))) return
    const folders = [start]
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      const path = join(this.#root, folder)
      const entries = await wrap(`Cannot list ${path}`, async () => {
        await this.#folders.check(folder === '' ? '.' : folder.slice(0, -1))
        return readFolder(path)
      })
      for (const { name, kind } of entries) {
        options.signal?.throwIfAborted()
        const key = `${folder}${name}`
        const isWanted = key.startsWith(prefix)
        if (!isWanted || !isKey(key)) continue
        if (kind === 'folder') folders.push(`${key}/`)
        if (kind === 'link') await this.#refuseFolder(key)
        const found = kind === 'file' ? await this.#statIfThere(key) : undefined
        if (found !== undefined) yield found
      }
    }
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    options.signal?.throwIfAborted()
    const path = this.#path(key)
    await wrap(`Cannot remove ${key}`, async () => {
      await this.#folders.check(dirname(key))
      if (!(await look(path))?.isFile()) return this.#folders.checkRoot()
      await unlinkIfThere(path)
      await syncFolder(dirname(path))
    })
  }

  async close(): Promise<void> {
    await this.#folders.removeUnused()
    this.#folders.forget()
  }

  async #missing(key: string): Promise<PortError> {
    await wrap(`Cannot look at ${this.#root}`, () => this.#folders.checkRoot())
    return new PortError('not-found', `There is no object ${key} (${join(this.#root, key)})`)
  }

  #path(key: string): string {
    if (!isKey(key)) throw new PortError('config', `"${key}" is not a legal key`)
    return join(this.#root, key)
  }

  /** Writes under another name, and gives the file its name when it is whole and durable. */
  async #publish(key: string, data: Uint8Array, options: PutOptions): Promise<void> {
    const path = this.#path(key)
    const temporary = join(this.#root, temporaryName())
    try {
      await writeDurably(temporary, data, options.signal)
      if (options.ifAbsent) await nameOnce(this.#root, temporary, key, options.signal)
      else await rename(temporary, path)
    } catch (error) {
      await removeTemporary(temporary)
      if (!isMissing(error) && (await look(path))?.isDirectory()) {
        throw new PortError('unsupported', `${path} is a folder: on a disk no object can lie where other keys go on`)
      }
      throw error
    }
    if (options.ifAbsent) await removeTemporary(temporary)
    await syncFolder(dirname(path))
  }

  async #refuseFolder(key: string): Promise<void> {
    const path = join(this.#root, key)
    if (await wrap(`Cannot look at ${path}`, () => isFolder(path))) throw linkRefused(path)
  }

  async #statIfThere(key: string): Promise<StoredObject | undefined> {
    const found = await wrap(`Cannot look at ${key}`, () => look(join(this.#root, key)))
    return found?.isFile() ? { key, sizeBytes: found.size } : undefined
  }
}

/** Whoever may not delete leaves it to whoever may: what counts is the object. */
async function removeTemporary(path: string): Promise<void> {
  await unlinkIfThere(path).catch((error: unknown) => {
    if (!isSystemError(error, 'EPERM') && !isSystemError(error, 'EACCES')) throw error
  })
}

/** Makes the folder of a repository with those above it, durably. */
async function makeRoot(root: string): Promise<void> {
  const made = await mkdir(root, { recursive: true, mode: 0o700 })
  if (made === undefined) return
  for (let path = resolve(root); path.length >= made.length; path = dirname(path)) {
    await syncFolder(dirname(path)).catch((error: unknown) => {
      // One may add to a folder that one may not read.
      if (!isSystemError(error, 'EACCES')) throw error
    })
  }
}

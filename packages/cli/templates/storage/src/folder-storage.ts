import type { Dirent } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type CallOptions,
  type GetOptions,
  isPortError,
  PortError,
  type PutOptions,
  rangeWithin,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { failed, isGone } from './failures.js'
import { isTemporary, writeTemporary } from './temporary-files.js'

/** Objects as files in a folder: the key is the path. One attempt per call: core repeats, limits and verifies. */
export class FolderStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    conditionalCreate: true,
    listing: 'strong',
    canRemove: true,
    maxObjectBytes: Number.MAX_SAFE_INTEGER,
    concurrency: 4,
    isLocal: true,
    objectLock: false,
    sharedMemory: true,
  }
  readonly #root: string
  readonly #mode: number

  constructor(root: string, mode: number) {
    this.#root = root
    this.#mode = mode
  }

  async put(key: string, data: Uint8Array, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const path = this.#pathOf(key)
    try {
      const temporary = await writeTemporary(this.#root, data, this.#mode)
      try {
        signal?.throwIfAborted()
        await mkdir(dirname(path), { recursive: true })
        // A link fails where there is a file, a rename replaces it; both are atomic.
        if (ifAbsent) await link(temporary, path)
        else await rename(temporary, path)
      } finally {
        await rm(temporary, { force: true })
      }
      await makeDurable(dirname(path))
    } catch (cause) {
      signal?.throwIfAborted()
      failed(`${key} cannot be stored`, cause)
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    options.signal?.throwIfAborted()
    try {
      const file = await open(this.#pathOf(key), 'r')
      try {
        const stats = await file.stat()
        if (!stats.isFile()) throw new PortError('not-found', `${key} is not there`)
        const { offset, length } = rangeWithin(key, stats.size, options)
        const into = options.into ?? new Uint8Array(length)
        for (let done = 0; done < length; ) {
          const { bytesRead } = await file.read(into, done, length - done, offset + done)
          // Replaced by a shorter one meanwhile.
          if (bytesRead === 0) throw new PortError('transient', `${key} ended early`)
          done += bytesRead
        }
        options.signal?.throwIfAborted()
        return into
      } finally {
        await file.close()
      }
    } catch (cause) {
      options.signal?.throwIfAborted()
      if (isPortError(cause)) throw cause
      return failed(`${key} cannot be read`, cause)
    }
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    signal?.throwIfAborted()
    const stats = await stat(this.#pathOf(key)).catch((cause) => failed(`${key} cannot be looked at`, cause))
    if (!stats.isFile()) throw new PortError('not-found', `${key} is not there`)
    return { key, sizeBytes: stats.size }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    // An unmounted disk is an error and not an empty list.
    await stat(this.#root).catch((cause) => failed(`${this.#root} cannot be listed`, cause))
    const slash = prefix.lastIndexOf('/')
    yield* this.#walk(slash < 0 ? '' : prefix.slice(0, slash + 1), prefix, signal)
  }

  async *#walk(folder: string, prefix: string, signal: AbortSignal | undefined): AsyncGenerator<StoredObject> {
    for (const entry of await this.#entriesOf(folder)) {
      signal?.throwIfAborted()
      const key = `${folder}${entry.name}`
      if (isTemporary(entry.name)) continue
      const mayFit = key.startsWith(prefix) || prefix.startsWith(`${key}/`)
      if (entry.isDirectory() && mayFit) yield* this.#walk(`${key}/`, prefix, signal)
      if (!entry.isFile() || !key.startsWith(prefix)) continue
      const found = await this.#statOrGone(key)
      if (found !== undefined) yield found
    }
  }

  async #entriesOf(folder: string): Promise<Dirent[]> {
    try {
      return await readdir(join(this.#root, folder), { withFileTypes: true })
    } catch (cause) {
      return isGone(cause) ? [] : failed(`${folder} cannot be listed`, cause)
    }
  }

  /** What vanishes while a list goes on is not listed. */
  async #statOrGone(key: string): Promise<StoredObject | undefined> {
    try {
      return await this.stat(key)
    } catch (error) {
      if (isPortError(error, 'not-found')) return undefined
      throw error
    }
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    try {
      await unlink(this.#pathOf(key))
    } catch (cause) {
      // A folder is no object: nothing is there. macOS says EPERM of it, Linux EISDIR.
      const isFolder = await stat(this.#pathOf(key)).then(
        (stats) => stats.isDirectory(),
        () => false,
      )
      if (!isGone(cause) && !isFolder) failed(`${key} cannot be removed`, cause)
    }
  }

  async close(): Promise<void> {}

  #pathOf(key: string): string {
    return join(this.#root, ...key.split('/'))
  }
}

/** A new name is durable when its folder is. */
async function makeDurable(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

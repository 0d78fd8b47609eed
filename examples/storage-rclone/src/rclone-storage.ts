import { randomUUID } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import {
  type CallOptions,
  type GetOptions,
  isPortError,
  type Logger,
  PortError,
  type PutOptions,
  rangeWithin,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { brokenOff, type Call, type RcloneApi } from './rclone-api.js'
import type { RcloneProcess } from './rclone-process.js'

/**
 * How objects get into their places.
 *
 * - `upload`: directly; buckets show nothing before it is complete.
 * - `rename`: under a temporary name, then renamed, which also replaces at one go. Folders of this machine.
 * - `rename-new`: the same, but what is there already is replaced by an upload: many servers remove the old file before they
 *   rename, and there would be a moment without any.
 */
export type Publication = 'upload' | 'rename' | 'rename-new'

export interface RcloneStorageParts {
  readonly api: RcloneApi
  readonly rclone: RcloneProcess
  /** `remote:path`. */
  readonly fs: string
  readonly publication: Publication
  readonly log: Logger
}

interface Item {
  readonly Path: string
  readonly Size: number
  readonly ModTime: string
}

/** Keys have no `~`: nothing below is ever taken for an object. */
const uploads = '~bkp-uploads'
const dayMs = 24 * 3_600_000
// rclone need not look again whether the target exists: we know, or it does not matter.
const withoutLooking = { _config: { NoCheckDest: true } }
// rclone compares afterwards, and removes what is not as it should be: of two that replace one object at the same time, each
// would remove what the other stored.
const overwriting = { _config: { IgnoreTimes: true, IgnoreSize: true, IgnoreChecksum: true } }

export class RcloneStorage implements Storage {
  readonly capabilities: StorageCapabilities = {
    // rclone has no call for it: two that put one key at the same moment do not notice each other.
    conditionalCreate: false,
    listing: 'strong',
    canRemove: true,
    // Providers differ; the strictest that are common take 4 GiB.
    maxObjectBytes: 4 * 1024 ** 3,
    concurrency: 4,
    isLocal: false,
    objectLock: false,
  }
  readonly #parts: RcloneStorageParts
  #hasUploaded = false
  #closing: Promise<void> | undefined

  constructor(parts: RcloneStorageParts) {
    this.#parts = parts
  }

  async put(key: string, data: Uint8Array, { ifAbsent = false, signal }: PutOptions = {}): Promise<void> {
    const { rclone, publication } = this.#parts
    const call: Call = { what: `Cannot store ${key}`, signal }
    const isThere = (ifAbsent || publication === 'rename-new') && (await this.#find(key, call)) !== undefined
    if (isThere && ifAbsent) throw new PortError('already-exists', `There is an object ${key} already`)
    // From a file, rclone knows the size beforehand, and compares what arrived with it: nothing is stored in part. What is
    // sent by HTTP would be stored as far as it came if we were killed.
    const name = randomUUID()
    const file = join(rclone.folder, name)
    try {
      await writeFile(file, data)
      if (publication === 'upload' || (publication === 'rename-new' && isThere)) await this.#upload(name, key, call)
      else await this.#uploadAndRename(name, key, ifAbsent, call)
    } finally {
      await rm(file, { force: true })
    }
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length, signal, into } = options
    const call: Call = { what: `Cannot read ${key}`, signal }
    if (offset === 0 && length === undefined) return this.#readWhole(key, into, call)
    // Providers have many words for a range that lies outside, and rclone understands few of them.
    const range = rangeWithin(key, (await this.stat(key, options)).sizeBytes, options)
    const target = into ?? Buffer.allocUnsafeSlow(range.length)
    // HTTP has no words for a range of nothing.
    if (range.length === 0) return target
    return fill(target, await this.#parts.api.open(this.#parts.fs, key, range, call), call)
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    const item = await this.#find(key, { what: `Cannot look at ${key}`, signal })
    if (item === undefined) throw new PortError('not-found', `There is no object ${key} in ${this.#parts.fs}`)
    return { key, sizeBytes: item.Size }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncIterable<StoredObject> {
    const folder = prefix.slice(0, Math.max(0, prefix.lastIndexOf('/')))
    const items = await this.#list(folder, { what: `Cannot list ${prefix || this.#parts.fs}`, signal })
    for (const { Path, Size } of items) {
      signal?.throwIfAborted()
      if (Path.startsWith(prefix) && !Path.includes('~')) yield { key: Path, sizeBytes: Size }
    }
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    const { api, fs } = this.#parts
    try {
      await api.run('operations/deletefile', { fs, remote: key }, { what: `Cannot remove ${key}`, signal })
    } catch (error) {
      if (!isPortError(error, 'not-found')) throw error
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end(): Promise<void> {
    const { api, rclone } = this.#parts
    try {
      if (this.#hasUploaded) await this.#removeLeftovers()
    } finally {
      api.close()
      await rclone.close()
    }
  }

  async #upload(file: string, remote: string, call: Call): Promise<void> {
    const { api, rclone, fs, publication } = this.#parts
    const isInPlace = publication === 'rename-new' && !remote.startsWith(uploads)
    const more = isInPlace ? overwriting : withoutLooking
    await api.run(
      'operations/copyfile',
      { srcFs: rclone.folder, srcRemote: file, dstFs: fs, dstRemote: remote, ...more },
      call,
    )
  }

  async #uploadAndRename(file: string, key: string, ifAbsent: boolean, call: Call): Promise<void> {
    const { api, fs } = this.#parts
    const temporary = `${uploads}/${file}`
    this.#hasUploaded = true
    try {
      await this.#upload(file, temporary, call)
      const move = { srcFs: fs, srcRemote: temporary, dstFs: fs, dstRemote: key, ...withoutLooking }
      await api.run('operations/movefile', move, call)
    } catch (error) {
      await this.remove(temporary).catch((reason) => this.#parts.log.debug(`${temporary} stays: ${reason}`))
      // Somebody was faster, and this server renames to new names alone.
      if (isPortError(error, 'already-exists') && !ifAbsent) return this.#upload(file, key, call)
      throw error
    }
  }

  /**
   * rclone asks the provider for the size first, and then for the content: when an object is replaced in between, it gives
   * a part of it, or breaks off. The size tells, and then it is read again.
   */
  async #readWhole(key: string, into: Uint8Array | undefined, call: Call): Promise<Uint8Array> {
    const { api, fs } = this.#parts
    for (let left = 5; ; left--) {
      const answer = await api.open(fs, key, undefined, call)
      const told = Number(answer.headers['content-length'])
      const [read] = await Promise.allSettled([fill(into ?? Buffer.allocUnsafeSlow(told), answer, call)])
      if (left > 0 && (await this.#find(key, call))?.Size !== told) continue
      if (read.status === 'rejected') throw read.reason
      return read.value
    }
  }

  /** An object; undefined when there is none, or a folder. */
  async #find(key: string, call: Call): Promise<Item | undefined> {
    const { api, fs } = this.#parts
    const opt = { filesOnly: true, noModTime: true, noMimeType: true }
    try {
      const { item } = await api.run('operations/stat', { fs, remote: key, opt }, call)
      return (item as Item | null) ?? undefined
    } catch (error) {
      if (isPortError(error, 'not-found')) return undefined
      throw error
    }
  }

  /** All files in a folder and below it; none when there is no such folder. */
  async #list(remote: string, call: Call, opt: object = { noModTime: true }): Promise<readonly Item[]> {
    const { api, fs } = this.#parts
    const all = { recurse: true, filesOnly: true, noMimeType: true, ...opt }
    try {
      return (await api.run('operations/list', { fs, remote, opt: all }, call)).list as readonly Item[]
    } catch (error) {
      if (remote === '' || !isPortError(error, 'not-found')) throw error
      // Nothing is in there: so it is, unless the whole place is gone.
      await api.run('operations/list', { fs, remote: '', opt: { noModTime: true } }, call)
      return []
    }
  }

  /** Temporary files of runs that were killed. Those of others that are still at work are younger. */
  async #removeLeftovers(): Promise<void> {
    try {
      for (const { Path, ModTime } of await this.#list(uploads, { what: `Cannot list ${uploads}` }, {})) {
        if (Date.parse(ModTime) < Date.now() - dayMs) await this.remove(Path)
      }
    } catch (error) {
      this.#parts.log.warn(`Temporary files of earlier runs may stay in ${uploads}: ${(error as Error).message}`)
    }
  }
}

/** Fills `target` to its end; what is short is an error. */
async function fill(target: Uint8Array, answer: IncomingMessage, call: Call): Promise<Uint8Array> {
  let at = 0
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) {
      if (at + piece.length <= target.length) target.set(piece, at)
      at += piece.length
    }
  } catch (cause) {
    throw brokenOff(call, cause)
  } finally {
    // Frees the connection of what was not read to its end.
    answer.destroy()
  }
  if (at === target.length) return target
  throw new PortError('transient', `${call.what}: ${at} bytes came instead of ${target.length}`)
}

import {
  type CallOptions,
  type GetOptions,
  isPortError,
  type Logger,
  PortError,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { Downloads } from './downloads.js'
import { ConnectionFailure, wrap } from './failures.js'
import type { Http } from './http.js'
import { isKey } from './names.js'
import type { B2Options } from './options.js'
import type { Permissions } from './permissions.js'
import type { Session } from './session.js'
import { Uploads } from './uploads.js'
import { deleteVersion, hide, versionsOf } from './versions.js'

/** B2's own limit of a large file: 10 TB. */
const largestFileBytes = 10e12
/** Keys whose newest version is remembered; what is replaced is replaced again and again, so few suffice. */
const rememberedKeys = 1000

export interface Place {
  readonly bucketId: string
  readonly bucketName: string
  /** Empty, or ending in a slash. */
  readonly prefix: string
}

/** Objects as files of a bucket, below a prefix. */
export class B2Storage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #session: Session
  readonly #http: Http
  readonly #place: Place
  readonly #permissions: Permissions
  readonly #options: B2Options
  readonly #log: Logger
  readonly #uploads: Uploads
  readonly #downloads: Downloads
  /** IDs of versions that this storage made, by key. */
  readonly #made = new Map<string, string>()

  constructor(
    { session, http }: { readonly session: Session; readonly http: Http },
    place: Place,
    permissions: Permissions,
    options: B2Options,
    log: Logger,
  ) {
    this.#session = session
    this.#http = http
    this.#place = place
    this.#permissions = permissions
    this.#options = options
    this.#log = log
    this.#uploads = new Uploads(session, http, options, place.bucketId, log)
    this.#downloads = new Downloads(session, place.bucketName)
    const canDelete = permissions.has('deleteFiles') && permissions.has('listFiles')
    this.capabilities = {
      // A second upload of a name is a second version, whatever one asks for.
      conditionalCreate: false,
      listing: 'strong',
      canRemove: options.removeBy === 'hide' ? permissions.has('writeFiles') : canDelete,
      maxObjectBytes: largestFileBytes,
      concurrency: options.concurrency,
      isLocal: false,
      objectLock: options.fileLock !== undefined,
    }
  }

  async put(key: string, data: Uint8Array, { signal, ifAbsent }: PutOptions = {}): Promise<void> {
    const what = `Cannot store ${key}`
    await wrap(what, signal, async () => {
      this.#permissions.require('writeFiles', what)
      const name = this.#name(key)
      if (ifAbsent && (await this.#isThere(key, signal))) {
        throw new PortError('already-exists', `${key} is stored already`)
      }
      const fileId = await this.#uploads.put({ bucketId: this.#place.bucketId, key, name }, data, signal)
      await this.#deleteReplaced(key, fileId, signal)
    })
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const what = `Cannot read ${key}`
    return wrap(what, options.signal, async () => {
      this.#permissions.require('readFiles', what)
      return this.#downloads.get(key, this.#name(key), options)
    })
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    const what = `Cannot look at ${key}`
    return wrap(what, signal, async () => {
      const name = this.#name(key)
      if (this.#permissions.has('readFiles')) return { key, sizeBytes: await this.#downloads.sizeOf(name, signal) }
      this.#permissions.require('listFiles', what)
      const { objects } = await this.#page({ prefix: name, maxFileCount: 1 }, signal)
      const found = objects.find((object) => object.key === key)
      if (found === undefined) throw new PortError('not-found', `There is no object ${key}`)
      return found
    })
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    const what = `Cannot list b2://${this.#place.bucketName}/${this.#place.prefix}${prefix}`
    signal?.throwIfAborted()
    this.#permissions.require('listFiles', what)
    const asked = { prefix: `${this.#place.prefix}${prefix}`, maxFileCount: this.#options.listPageSize }
    for (let start: string | undefined = ''; start !== undefined; ) {
      const from: string = start
      const page = await wrap(what, signal, () =>
        this.#page(from === '' ? asked : { ...asked, startFileName: from }, signal),
      )
      for (const object of page.objects) {
        signal?.throwIfAborted()
        yield object
      }
      start = page.next
    }
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    const what = `Cannot remove ${key}`
    await wrap(what, signal, async () => {
      if (!this.capabilities.canRemove) {
        throw new PortError('unsupported', `${what}: the application key may not`, {
          hint: 'To prune, use an application key that has deleteFiles and listFiles',
        })
      }
      const name = this.#name(key)
      const { bucketId } = this.#place
      this.#made.delete(key)
      if (this.#options.removeBy === 'hide') return hide(this.#session, bucketId, name, signal)
      // The newest last: as long as it is there, no older one comes to light.
      for (const version of (await versionsOf(this.#session, bucketId, name, signal)).reverse()) {
        await deleteVersion(this.#session, name, version.fileId, signal)
      }
    })
  }

  async now({ signal }: CallOptions = {}): Promise<number> {
    return wrap('Cannot read the clock of B2', signal, () => this.#session.now(signal))
  }

  async close(): Promise<void> {
    await this.#uploads.settle()
    await this.#http.close()
  }

  #name(key: string): string {
    if (!isKey(key)) throw new PortError('config', `"${key}" is not a legal key`)
    return `${this.#place.prefix}${key}`
  }

  /** Class B, or C with a key that cannot read. One that can neither read nor list cannot know. */
  async #isThere(key: string, signal?: AbortSignal): Promise<boolean> {
    if (!this.#permissions.has('readFiles') && !this.#permissions.has('listFiles')) return false
    try {
      await this.stat(key, signal === undefined ? {} : { signal })
      return true
    } catch (error) {
      if (isPortError(error, 'not-found')) return false
      throw error
    }
  }

  /**
   * Deletes the version that this put replaced, if this storage made it: then its ID is known, and nothing is to be paid.
   * Others are left to the lifecycle rule of the bucket; to look for them would be a call of class C for every put.
   */
  async #deleteReplaced(key: string, fileId: string, signal?: AbortSignal): Promise<void> {
    const replaced = this.#made.get(key)
    this.#made.delete(key)
    this.#made.set(key, fileId)
    if (this.#made.size > rememberedKeys) this.#made.delete(this.#made.keys().next().value ?? key)
    if (replaced === undefined || this.#options.oldVersions === 'keep' || !this.#permissions.has('deleteFiles')) return
    try {
      await deleteVersion(this.#session, this.#name(key), replaced, signal)
    } catch (error) {
      // The new object is stored, and that alone was asked for. The old one may be locked.
      this.#log.debug('an old version stays', { key, reason: (error as Error).message })
    }
  }

  /** One page of `b2_list_file_names` (class C, for each thousand names). Neither hidden nor unfinished files are in it. */
  async #page(asked: Readonly<Record<string, unknown>>, signal?: AbortSignal) {
    const { bucketId, prefix } = this.#place
    const page = await this.#session.call('b2_list_file_names', { bucketId, ...asked }, signal)
    const { files, nextFileName } = (page ?? {}) as Record<string, unknown>
    if (!Array.isArray(files)) throw new ConnectionFailure(new Error('B2 gives no list of files'))
    const objects: StoredObject[] = []
    for (const { fileName, contentLength, action } of files as Readonly<Record<string, unknown>>[]) {
      const key = typeof fileName === 'string' && fileName.startsWith(prefix) ? fileName.slice(prefix.length) : ''
      if (action === 'upload' && typeof contentLength === 'number' && isKey(key)) {
        objects.push({ key, sizeBytes: contentLength })
      }
    }
    return { objects, next: typeof nextFileName === 'string' ? nextFileName : undefined }
  }
}

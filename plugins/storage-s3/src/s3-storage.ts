import { DeleteObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3'
import {
  type CallOptions,
  type GetOptions,
  isPortError,
  PortError,
  type PutOptions,
  rangeInvalid,
  rangeWithin,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'
import { download } from './download.js'
import { listObjects } from './listing.js'
import { isKey } from './location.js'
import { refuseWithoutLocks } from './locks.js'
import { customerKeyFields } from './object-fields.js'
import { serverClock } from './server-clock.js'
import { putInParts, putWhole } from './upload.js'
import { removeVersions } from './versions.js'

const tebibyte = 1_099_511_627_776
const mostParts = 10_000

/** Objects of one bucket, below one prefix. */
export class S3Storage implements Storage {
  readonly #bucket: Bucket
  /** As configured, until the server says that it does not know the condition. */
  #conditionalCreate: Bucket['settings']['conditionalCreate']
  /** Until the server was asked, where objects shall be locked. Whoever only reads does not need to know. */
  #mayLackLocks: boolean

  constructor(bucket: Bucket) {
    this.#bucket = bucket
    this.#conditionalCreate = bucket.settings.conditionalCreate
    this.#mayLackLocks = bucket.settings.objectLock !== undefined
  }

  get capabilities(): StorageCapabilities {
    const { partSizeBytes, concurrency, objectLock } = this.#bucket.settings
    return {
      conditionalCreate: this.#conditionalCreate === 'known',
      listing: 'strong',
      canRemove: true,
      maxObjectBytes: Math.min(partSizeBytes * mostParts, 5 * tebibyte),
      concurrency,
      isLocal: false,
      objectLock: objectLock !== undefined,
    }
  }

  async put(key: string, data: Uint8Array, { signal, ifAbsent = false }: PutOptions = {}): Promise<void> {
    this.#check(key, signal)
    if (this.#mayLackLocks) await refuseWithoutLocks(this.#bucket, signal)
    this.#mayLackLocks = false
    const upload = { key, data, signal }
    // Servers know the condition for an object in one request, and often not for one in parts.
    if (ifAbsent) return this.#create(upload)
    if (data.length > 2 * this.#bucket.settings.partSizeBytes) return putInParts(this.#bucket, upload)
    return putWhole(this.#bucket, upload, 'replace')
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    this.#check(key, options.signal)
    const { offset = 0, length, into } = options
    if (offset < 0 || (length ?? 0) < 0) throw rangeInvalid(key, offset, length)
    const empty = into ?? new Uint8Array(0)
    if (length === 0) {
      // The protocol knows no range of nothing.
      rangeWithin(key, (await this.stat(key, options)).sizeBytes, options)
      return empty
    }
    try {
      return await download(this.#bucket, key, options)
    } catch (error) {
      if (!isPortError(error, 'range-invalid') || length !== undefined) throw error
      // Nor one that begins where the object ends.
      rangeWithin(key, (await this.stat(key, options)).sizeBytes, options)
      return empty
    }
  }

  async stat(key: string, { signal }: CallOptions = {}): Promise<StoredObject> {
    this.#check(key, signal)
    const { client, settings } = this.#bucket
    const what = `Cannot look at ${key} in ${placeOf(settings)}`
    const object = { ...addressOf(settings, key), ...customerKeyFields(settings) }
    try {
      const { ContentLength } = await call(what, signal, (options) =>
        client.send(new HeadObjectCommand(object), options),
      )
      if (ContentLength === undefined) throw new PortError('unsupported', `${what}: the server does not say the size`)
      return { key, sizeBytes: ContentLength }
    } catch (error) {
      throw isPortError(error, 'forbidden') || isPortError(error, 'config')
        ? await this.#explain(key, error, signal)
        : error
    }
  }

  async *list(prefix: string, { signal }: CallOptions = {}): AsyncGenerator<StoredObject> {
    signal?.throwIfAborted()
    yield* listObjects(this.#bucket, prefix, signal)
  }

  async remove(key: string, { signal }: CallOptions = {}): Promise<void> {
    this.#check(key, signal)
    const { client, settings } = this.#bucket
    if (settings.deleteVersions) return removeVersions(this.#bucket, key, signal)
    const command = new DeleteObjectCommand(addressOf(settings, key))
    try {
      await call(`Cannot remove ${key} in ${placeOf(settings)}`, signal, (options) => client.send(command, options))
    } catch (error) {
      // Some answer as if it were an error that there is nothing to remove; a bucket that is not there is one.
      const isGone = isPortError(error, 'not-found') && (error.cause as Error).name !== 'NoSuchBucket'
      if (!isGone) throw error
    }
  }

  now({ signal }: CallOptions = {}): Promise<number> {
    return serverClock(this.#bucket, signal)
  }

  async close(): Promise<void> {
    this.#bucket.client.destroy()
  }

  async #create(upload: Parameters<typeof putWhole>[1]): Promise<void> {
    if (this.#conditionalCreate !== 'known') await this.#refuseExisting(upload.key, upload.signal)
    if (this.#conditionalCreate === 'missing') return putWhole(this.#bucket, upload, 'replace')
    try {
      return await putWhole(this.#bucket, upload, 'if-absent')
    } catch (error) {
      if (!isPortError(error, 'unsupported')) throw error
      this.#bucket.log.debug(`The server does not know conditional writes: ${error.message}`)
      this.#conditionalCreate = 'missing'
      return this.#create(upload)
    }
  }

  /** An answer to HEAD has no body that could tell a wrong key from an expired session or a wrong clock: one to GET has. */
  async #explain(key: string, error: PortError, signal: AbortSignal | undefined): Promise<unknown> {
    try {
      await download(this.#bucket, key, { length: 1, ...(signal === undefined ? {} : { signal }) })
      return error
    } catch (explained) {
      return isPortError(explained, 'range-invalid') ? error : explained
    }
  }

  async #refuseExisting(key: string, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.stat(key, signal === undefined ? {} : { signal })
    } catch (error) {
      if (isPortError(error, 'not-found')) return
      throw error
    }
    throw new PortError('already-exists', `There is an object ${key} in ${placeOf(this.#bucket.settings)} already`)
  }

  #check(key: string, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (!isKey(key)) throw new PortError('config', `"${key}" is not a legal key`)
  }
}

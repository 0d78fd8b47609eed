import { randomBytes } from 'node:crypto'
import { ApiError, badRequest, fileNotFound } from './api-error.js'
import { compareNames } from './names.js'

export interface Retention {
  readonly mode: 'governance' | 'compliance'
  readonly retainUntilTimestamp: number
}

export interface FileVersion {
  readonly fileId: string
  readonly fileName: string
  /** `start` is a large file that is not finished. */
  readonly action: 'upload' | 'hide' | 'start'
  readonly contentType: string
  /** `none` for large files. */
  readonly contentSha1: string
  readonly uploadTimestamp: number
  readonly retention: Retention | undefined
  readonly encrypted: boolean
  data: Buffer
}

export interface Part {
  readonly sha1: string
  readonly data: Buffer
}

export interface UnfinishedFile {
  readonly version: FileVersion
  readonly bucket: Bucket
  readonly parts: Map<number, Part>
}

/** One bucket: versions by name, the newest first. */
export class Bucket {
  readonly bucketId = randomBytes(12).toString('hex')
  readonly #versions = new Map<string, FileVersion[]>()
  /** Names in order; made anew when a name came or went. */
  #names: string[] | undefined

  constructor(
    readonly bucketName: string,
    readonly fileLockEnabled: boolean,
  ) {}

  add(version: FileVersion): void {
    const versions = this.#versions.get(version.fileName)
    if (versions !== undefined) {
      versions.unshift(version)
      return
    }
    this.#versions.set(version.fileName, [version])
    this.#names = undefined
  }

  remove(version: FileVersion): void {
    const rest = this.versionsOf(version.fileName).filter((one) => one !== version)
    if (rest.length > 0) {
      this.#versions.set(version.fileName, rest)
      return
    }
    this.#versions.delete(version.fileName)
    this.#names = undefined
  }

  versionsOf(name: string): readonly FileVersion[] {
    return this.#versions.get(name) ?? []
  }

  /** What a download by name gives. @throws ApiError 404 when there is nothing, or it is hidden */
  visible(name: string): FileVersion {
    const newest = this.versionsOf(name).find(({ action }) => action !== 'start')
    if (newest?.action !== 'upload') throw fileNotFound()
    return newest
  }

  /** Names in order, from one on. */
  namesFrom(start: string, prefix: string): string[] {
    this.#names ??= [...this.#versions.keys()].sort(compareNames)
    return this.#names.filter((name) => name.startsWith(prefix) && compareNames(name, start) >= 0)
  }

  get storedBytes(): number {
    return [...this.#versions.values()].flat().reduce((sum, { data }) => sum + data.length, 0)
  }
}

/** All buckets of the account, and the large files that are being uploaded. */
export class Buckets {
  readonly #buckets: Bucket[] = []
  readonly unfinished = new Map<string, UnfinishedFile>()

  create(name: string, { fileLock = false }: { readonly fileLock?: boolean } = {}): Bucket {
    const bucket = new Bucket(name, fileLock)
    this.#buckets.push(bucket)
    return bucket
  }

  get all(): readonly Bucket[] {
    return this.#buckets
  }

  byName(name: string): Bucket | undefined {
    return this.#buckets.find(({ bucketName }) => bucketName.toLowerCase() === name.toLowerCase())
  }

  /** @throws ApiError 400 */
  byId(id: unknown): Bucket {
    const found = this.#buckets.find(({ bucketId }) => bucketId === id)
    if (found === undefined) throw new ApiError(400, 'bad_bucket_id', `Invalid bucketId: ${String(id)}`)
    return found
  }

  /** A version by its ID, wherever it is. */
  version(fileId: unknown): { bucket: Bucket; version: FileVersion } | undefined {
    for (const bucket of this.#buckets) {
      for (const name of bucket.namesFrom('', '')) {
        const version = bucket.versionsOf(name).find((one) => one.fileId === fileId)
        if (version !== undefined) return { bucket, version }
      }
    }
    return undefined
  }

  /** @throws ApiError 400 */
  unfinishedFile(fileId: unknown): UnfinishedFile {
    const found = this.unfinished.get(String(fileId))
    if (found === undefined) throw badRequest(`No active upload for: ${String(fileId)}`)
    return found
  }
}

export function newFileId(bucket: Bucket): string {
  return `4_z${bucket.bucketId}_f${randomBytes(12).toString('hex')}_d20261124_m120000_c005_v0501000_t0000`
}

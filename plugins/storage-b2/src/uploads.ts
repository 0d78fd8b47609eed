import type { Logger } from '@bkp/plugin-api'
import { ConnectionFailure } from './failures.js'
import type { Http } from './http.js'
import { encodeName } from './names.js'
import type { B2Options } from './options.js'
import type { Session } from './session.js'
import { sha1Of } from './sha1.js'
import { parseUploadUrl, UploadUrls } from './upload-urls.js'

const contentType = 'application/octet-stream'
const dayMs = 24 * 60 * 60_000
/** Parts of one large file under way; core puts several objects at once besides. */
const partsAtOnce = 4
const mostParts = 10_000
const cancelMs = 10_000

export interface UploadTarget {
  readonly bucketId: string
  /** Decides, with the options, whether the file is locked. */
  readonly key: string
  readonly name: string
}

/** Puts files into one bucket: each with one call, or in parts when it is large. Gives the ID of the new version. */
export class Uploads {
  readonly #session: Session
  readonly #http: Http
  readonly #options: B2Options
  readonly #log: Logger
  readonly #urls: UploadUrls
  readonly #cancelling = new Set<Promise<void>>()

  constructor(session: Session, http: Http, options: B2Options, bucketId: string, log: Logger) {
    this.#session = session
    this.#http = http
    this.#options = options
    this.#log = log
    this.#urls = new UploadUrls(async (signal) =>
      parseUploadUrl(await session.call('b2_get_upload_url', { bucketId }, signal)),
    )
  }

  /** @throws B2Failure, ConnectionFailure, PortError */
  async put(target: UploadTarget, data: Uint8Array, signal?: AbortSignal): Promise<string> {
    return data.length > this.#options.largeFileThresholdBytes
      ? this.#putInParts(target, data, signal)
      : this.#putWhole(target, data, signal)
  }

  /** Waits until large files that failed are cancelled. */
  async settle(): Promise<void> {
    await Promise.all(this.#cancelling)
  }

  async #putWhole({ key, name }: UploadTarget, data: Uint8Array, signal?: AbortSignal): Promise<string> {
    const retention = this.#retentionOf(key)
    const headers = {
      'x-bz-file-name': encodeName(name),
      'content-type': contentType,
      'x-bz-content-sha1': await sha1Of(data, signal),
      ...(this.#options.serverSideEncryption === 'none' ? {} : { 'x-bz-server-side-encryption': 'AES256' }),
      ...(retention === undefined
        ? {}
        : {
            'x-bz-file-retention-mode': retention.mode,
            'x-bz-file-retention-retain-until-timestamp': `${retention.retainUntilTimestamp}`,
          }),
    }
    return this.#urls.upload(
      async ({ url, token }) => fileIdOf(await this.#post(url, token, headers, data, signal)),
      signal,
    )
  }

  async #putInParts({ bucketId, key, name }: UploadTarget, data: Uint8Array, signal?: AbortSignal): Promise<string> {
    const retention = this.#retentionOf(key)
    const { recommendedPartBytes, minimumPartBytes } = await this.#session.authorization()
    const partBytes = sizeOfParts(data.length, this.#options.partBytes ?? recommendedPartBytes, minimumPartBytes)
    const started = await this.#session.call(
      'b2_start_large_file',
      {
        bucketId,
        fileName: name,
        contentType,
        ...(this.#options.serverSideEncryption === 'none'
          ? {}
          : { serverSideEncryption: { mode: 'SSE-B2', algorithm: 'AES256' } }),
        ...(retention === undefined ? {} : { fileRetention: retention }),
      },
      signal,
    )
    const fileId = fileIdOf(started)
    try {
      const partSha1Array = await this.#uploadParts(fileId, data, partBytes, signal)
      return fileIdOf(await this.#session.call('b2_finish_large_file', { fileId, partSha1Array }, signal))
    } catch (error) {
      // Not waited for: whoever stops a put shall not wait for the network.
      this.#cancel(fileId)
      throw error
    }
  }

  async #uploadParts(fileId: string, data: Uint8Array, partBytes: number, signal?: AbortSignal): Promise<string[]> {
    const urls = new UploadUrls(async (urlSignal) =>
      parseUploadUrl(await this.#session.call('b2_get_upload_part_url', { fileId }, urlSignal)),
    )
    const parts = Array.from({ length: Math.ceil(data.length / partBytes) }, (_, n) =>
      data.subarray(n * partBytes, (n + 1) * partBytes),
    )
    const sha1s: string[] = []
    const failed = new AbortController()
    const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
    const waiting = parts.entries()
    const work = async () => {
      for (const [n, part] of waiting) {
        const sha1 = await sha1Of(part, either)
        const headers = { 'x-bz-part-number': `${n + 1}`, 'x-bz-content-sha1': sha1 }
        await urls.upload(({ url, token }) => this.#post(url, token, headers, part, either), either)
        sha1s[n] = sha1
      }
    }
    try {
      await Promise.all(Array.from({ length: Math.min(partsAtOnce, parts.length) }, work))
    } catch (error) {
      failed.abort(error)
      throw error
    }
    return sha1s
  }

  #post(url: string, token: string, headers: Record<string, string>, data: Uint8Array, signal?: AbortSignal) {
    return this.#http.sendForJson({
      method: 'POST',
      url,
      authorization: token,
      headers: { ...headers, 'content-length': `${data.length}` },
      body: data,
      signal,
    })
  }

  #retentionOf(key: string): { mode: string; retainUntilTimestamp: number } | undefined {
    const { fileLock } = this.#options
    if (fileLock === undefined || fileLock.exceptPrefixes.some((prefix) => key.startsWith(prefix))) return undefined
    return { mode: fileLock.mode, retainUntilTimestamp: Date.now() + fileLock.days * dayMs }
  }

  /** Gives the space of parts back. What fails here is left to the lifecycle rules of the bucket: nobody sees it. */
  #cancel(fileId: string): void {
    const cancelling = this.#session.call('b2_cancel_large_file', { fileId }, AbortSignal.timeout(cancelMs)).then(
      () => {},
      (error: unknown) =>
        this.#log.debug('a large file stays unfinished', { fileId, reason: (error as Error).message }),
    )
    this.#cancelling.add(cancelling)
    cancelling.finally(() => this.#cancelling.delete(cancelling))
  }
}

/**
 * A large file has two parts at least and 10,000 at most, and all but the last must be of a size that the account tells
 * (5 MB).
 */
export function sizeOfParts(sizeBytes: number, wantedBytes: number, minimumBytes: number): number {
  const half = Math.ceil(sizeBytes / 2)
  return Math.max(minimumBytes, Math.min(wantedBytes, half), Math.ceil(sizeBytes / mostParts))
}

function fileIdOf(answer: unknown): string {
  const { fileId } = (answer ?? {}) as { fileId?: unknown }
  if (typeof fileId !== 'string') throw new ConnectionFailure(new Error('B2 gives no file ID'))
  return fileId
}

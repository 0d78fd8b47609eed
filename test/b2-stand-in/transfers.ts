import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type ApiContext, sha1 } from './api-calls.js'
import { ApiError, badRequest, fileNotFound } from './api-error.js'
import { type HeldKey, requireBucket, requireCapability, requirePrefix } from './application-keys.js'
import { type FileVersion, newFileId } from './buckets.js'
import { describe } from './listing.js'
import { checkFileName, decodeFileName } from './names.js'
import { readRetention, requireLock } from './retention.js'
import type { UploadPermit } from './upload-tokens.js'

const largestUploadBytes = 5_000_000_000
const shaTail = 40

/** A body, whole. @throws ApiError 411 when its length is not told beforehand */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const told = request.headers['content-length']
  if (told === undefined && request.method === 'POST')
    throw new ApiError(411, 'length_required', 'Content-Length is required; chunked transfer encoding is not supported')
  const body = Buffer.allocUnsafe(Number(told ?? 0))
  let at = 0
  for await (const chunk of request) at += (chunk as Buffer).copy(body, at)
  if (at !== body.length) throw badRequest('The body is shorter than Content-Length')
  return body
}

/** `b2_upload_file`. */
export function uploadFile({ now }: ApiContext, { key, bucket }: UploadPermit, headers: Headers, body: Buffer): object {
  const fileName = decodeFileName(required(headers, 'x-bz-file-name'))
  checkFileName(fileName)
  requirePrefix(key, fileName)
  if (body.length > largestUploadBytes) throw badRequest('File size too big')
  const retention = readRetention({
    mode: headers['x-bz-file-retention-mode'],
    retainUntilTimestamp: headers['x-bz-file-retention-retain-until-timestamp'],
  })
  if (retention !== undefined) requireLock(key, bucket, retention, now())
  const encryption = headers['x-bz-server-side-encryption']
  if (encryption !== undefined && encryption !== 'AES256') throw badRequest(`Unknown encryption ${String(encryption)}`)
  const data = checkedData(required(headers, 'x-bz-content-sha1'), body)
  const version: FileVersion = {
    fileId: newFileId(bucket),
    fileName,
    action: 'upload',
    contentType: required(headers, 'content-type'),
    contentSha1: sha1(data),
    uploadTimestamp: now(),
    retention,
    encrypted: encryption !== undefined,
    data,
  }
  bucket.add(version)
  return describe(bucket, version)
}

/** `b2_upload_part`. */
export function uploadPart({ buckets }: ApiContext, { fileId }: UploadPermit, headers: Headers, body: Buffer): object {
  const { parts } = buckets.unfinishedFile(fileId)
  const partNumber = Number(required(headers, 'x-bz-part-number'))
  if (!Number.isSafeInteger(partNumber) || partNumber < 1 || partNumber > 10_000)
    throw badRequest('Part number must be from 1 to 10000')
  const data = checkedData(required(headers, 'x-bz-content-sha1'), body)
  const part = { sha1: sha1(data), data }
  parts.set(partNumber, part)
  return { fileId, partNumber, contentLength: data.length, contentSha1: part.sha1 }
}

/** @throws ApiError 400 unless the bytes are those that the SHA-1 was made of */
function checkedData(told: string, body: Buffer): Buffer {
  if (told === 'do_not_verify') return body
  const isAtEnd = told === 'hex_digits_at_end'
  const data = isAtEnd ? body.subarray(0, -shaTail) : body
  const expected = isAtEnd ? body.subarray(-shaTail).toString('latin1') : told
  if (!/^[0-9a-f]{40}$/.test(expected)) throw badRequest('X-Bz-Content-Sha1 is not a SHA1')
  if (sha1(data) !== expected) throw badRequest('Sha1 did not match data received')
  return data
}

export interface Download {
  readonly status: 200 | 206
  readonly headers: Readonly<Record<string, string>>
  readonly data: Buffer
}

/** `b2_download_file_by_name`. @throws ApiError 401, 404, 416 */
export function downloadFile({ buckets }: ApiContext, key: HeldKey, path: string, range: string | undefined): Download {
  const [bucketName = '', ...rest] = path.split('/')
  const bucket = buckets.byName(decodeFileName(bucketName))
  const name = decodeFileName(rest.join('/'))
  requireCapability(key, 'readFiles')
  if (bucket === undefined) throw new ApiError(404, 'not_found', `Bucket does not exist: ${bucketName}`)
  requireBucket(key, bucket.bucketName)
  requirePrefix(key, name)
  if (name === '') throw fileNotFound()
  const version = bucket.visible(name)
  const cut = readRange(range, version.data.length)
  const data = cut === undefined ? version.data : version.data.subarray(cut.first, cut.last + 1)
  return {
    status: cut === undefined ? 200 : 206,
    headers: {
      'accept-ranges': 'bytes',
      'content-type': version.contentType,
      'content-length': `${data.length}`,
      ...(cut === undefined ? {} : { 'content-range': `bytes ${cut.first}-${cut.last}/${version.data.length}` }),
      'x-bz-file-id': version.fileId,
      'x-bz-file-name': encodeURIComponent(name).replaceAll('%2F', '/'),
      'x-bz-content-sha1': version.contentSha1,
      'x-bz-upload-timestamp': `${version.uploadTimestamp}`,
    },
    data,
  }
}

/** @throws ApiError 416 when it begins behind the last byte; one that ends there is cut off */
function readRange(range: string | undefined, sizeBytes: number): { first: number; last: number } | undefined {
  const [, from = '', to = ''] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? []
  if (from === '') return undefined
  const first = Number(from)
  const last = Math.min(to === '' ? sizeBytes - 1 : Number(to), sizeBytes - 1)
  if (first >= sizeBytes || last < first)
    throw new ApiError(416, 'range_not_satisfiable', 'The range specified is outside the size of the file')
  return { first, last }
}

type Headers = IncomingHttpHeaders

function required(headers: Headers, name: string): string {
  const value = headers[name]
  if (typeof value !== 'string') throw badRequest(`Missing header: ${name}`)
  return value
}

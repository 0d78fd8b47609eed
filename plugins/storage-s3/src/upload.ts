import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { PortError } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'
import { partsAtOnce } from './client.js'
import { customerKeyFields, writtenFields } from './object-fields.js'
import { payloadOf } from './payload.js'

/** How long a stopped upload may take to be cleaned up. */
const cleanupMs = 5000

export interface Upload {
  readonly key: string
  readonly data: Uint8Array
  readonly signal: AbortSignal | undefined
}

/** In one request: the server publishes it when all of it is there. */
export async function putWhole(bucket: Bucket, { key, data, signal }: Upload, ifAbsent: 'if-absent' | 'replace') {
  const { client, settings } = bucket
  const command = new PutObjectCommand({
    ...addressOf(settings, key),
    ContentType: 'application/octet-stream',
    ...payloadOf(data, settings.checksums, settings.endpoint.isEncrypted),
    ...writtenFields(settings, Date.now()),
    ...(ifAbsent === 'if-absent' ? { IfNoneMatch: '*' } : {}),
  })
  await call(`Cannot store ${key} in ${placeOf(settings)}`, signal, (options) => client.send(command, options))
}

/** In parts, several at once. Nothing is visible before the last request, and the parts are removed if it is not reached. */
export async function putInParts(bucket: Bucket, upload: Upload): Promise<void> {
  const { client, settings } = bucket
  const { key, signal } = upload
  const what = `Cannot store ${key} in ${placeOf(settings)}`
  const uploadId = await beginUpload(bucket, upload, what)
  try {
    const parts = await putParts(bucket, upload, uploadId, what)
    const complete = new CompleteMultipartUploadCommand({
      ...addressOf(settings, key),
      UploadId: uploadId,
      MultipartUpload: { Parts: parts },
      ...customerKeyFields(settings),
    })
    await call(what, signal, (options) => client.send(complete, options))
  } catch (error) {
    await abandon(bucket, key, uploadId)
    throw error
  }
}

/** A stopped upload whose name is not known could not be removed: when the signal comes, the answer is waited for a while. */
async function beginUpload(bucket: Bucket, { key, signal }: Upload, what: string): Promise<string> {
  const { client, settings } = bucket
  const begin = new CreateMultipartUploadCommand({
    ...addressOf(settings, key),
    ContentType: 'application/octet-stream',
    ...(settings.checksums === 'crc32' ? { ChecksumAlgorithm: 'CRC32' } : {}),
    ...(settings.checksums === 'sha256' ? { ChecksumAlgorithm: 'SHA256' } : {}),
    ...writtenFields(settings, Date.now()),
  })
  const patience = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const lose = () => {
    timer = setTimeout(() => patience.abort(signal?.reason), cleanupMs)
  }
  signal?.addEventListener('abort', lose, { once: true })
  try {
    const { UploadId: uploadId } = await call(what, patience.signal, (options) => client.send(begin, options))
    if (uploadId === undefined) {
      throw new PortError('unsupported', `${what}: the server gave no name to an upload in parts`)
    }
    if (signal?.aborted) await abandon(bucket, key, uploadId)
    signal?.throwIfAborted()
    return uploadId
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', lose)
  }
}

async function putParts(
  { client, settings }: Bucket,
  { key, data, signal }: Upload,
  uploadId: string,
  what: string,
): Promise<CompletedPart[]> {
  const { partSizeBytes, checksums, endpoint } = settings
  const stopped = new AbortController()
  const stop = () => stopped.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const count = Math.ceil(data.length / partSizeBytes)
  const parts: CompletedPart[] = []
  const putPart = async (at: number) => {
    const part = data.subarray(at * partSizeBytes, (at + 1) * partSizeBytes)
    const payload = payloadOf(part, checksums, endpoint.isEncrypted)
    const number = { PartNumber: at + 1 }
    const command = new UploadPartCommand({
      ...addressOf(settings, key),
      ...number,
      UploadId: uploadId,
      ...payload,
      ...customerKeyFields(settings),
    })
    const { ETag } = await call(what, stopped.signal, (options) => client.send(command, options))
    const { ChecksumCRC32, ChecksumSHA256 } = payload
    const repeated = {
      ...(ChecksumCRC32 === undefined ? {} : { ChecksumCRC32 }),
      ...(ChecksumSHA256 === undefined ? {} : { ChecksumSHA256 }),
    }
    parts[at] = { ...number, ...(ETag === undefined ? {} : { ETag }), ...repeated }
  }
  const waiting = Array.from({ length: count }, (_, at) => at).values()
  const work = async () => {
    for (const at of waiting) await putPart(at)
  }
  const workers = Array.from({ length: Math.min(partsAtOnce, count) }, work)
  try {
    await Promise.all(workers)
  } catch (error) {
    // The others end before the parts are removed: one that arrived later would stay for ever.
    stopped.abort(error)
    await Promise.allSettled(workers)
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  return parts
}

/** Without the signal of the call, which may be what stopped it. What stays costs space: the error that led here says more. */
async function abandon({ client, settings, log }: Bucket, key: string, uploadId: string): Promise<void> {
  const command = new AbortMultipartUploadCommand({ ...addressOf(settings, key), UploadId: uploadId })
  try {
    await call(`Cannot remove the parts of ${key}`, AbortSignal.timeout(cleanupMs), (options) =>
      client.send(command, options),
    )
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    log.warn(`The parts of an upload that was stopped may remain in the bucket: ${reason}`, { key })
  }
}

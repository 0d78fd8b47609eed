import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Checksums } from './settings.js'

export interface ChecksumFields {
  readonly ChecksumCRC32?: string
  readonly ChecksumSHA256?: string
  readonly ContentMD5?: string
}

/** A body as a command takes it, with what lets the server refuse it when it arrives damaged. */
export interface Payload {
  readonly Body: Uint8Array
  readonly ContentLength: number
}

/**
 * SHA-256 in hexadecimal, or that there is none, for the header `x-amz-content-sha256`, which is signed. By views that are
 * made for one command each: another storage may send the same memory otherwise at the same time.
 */
const signedHashes = new WeakMap<Uint8Array, string>()

/** TLS protects a body by itself; without it, only a signed hash does. No body is hashed twice. */
export function payloadOf(data: Uint8Array, checksums: Checksums, isEncrypted: boolean): Payload & ChecksumFields {
  const sha256 = checksums === 'sha256' || !isEncrypted ? createHash('sha256').update(data).digest() : undefined
  const body = data.subarray()
  signedHashes.set(body, sha256 === undefined ? 'UNSIGNED-PAYLOAD' : sha256.toString('hex'))
  return { Body: body, ContentLength: body.length, ...fieldsOf(body, checksums, sha256) }
}

function fieldsOf(body: Uint8Array, checksums: Checksums, sha256: Buffer | undefined): ChecksumFields {
  if (checksums === 'sha256' && sha256 !== undefined) return { ChecksumSHA256: sha256.toString('base64') }
  if (checksums === 'md5') return { ContentMD5: createHash('md5').update(body).digest('base64') }
  if (checksums !== 'crc32') return {}
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return { ChecksumCRC32: sum.toString('base64') }
}

/** Lets the SDK sign the hash that is known, in place of one that it would compute. */
export function takeSignedHashes(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const body: unknown = 'Body' in args.input ? args.input.Body : undefined
      const hash = body instanceof Uint8Array ? signedHashes.get(body) : undefined
      const { request } = args
      if (hash !== undefined && hasHeaders(request)) request.headers['x-amz-content-sha256'] = hash
      return next(args)
    },
    { step: 'build', name: 'bkpSignedHash' },
  )
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request
}

import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { S3Client } from '@aws-sdk/client-s3'
import type { Checksums } from './settings.js'

export interface ChecksumFields {
  readonly ChecksumCRC32?: string
  readonly ChecksumSHA256?: string
  readonly ContentMD5?: string
}

/** What goes with a body so that the server refuses it when it arrives damaged. */
export interface Payload {
  readonly fields: ChecksumFields
  /** For the header `x-amz-content-sha256`, which is signed: the SHA-256 in hexadecimal, or that there is none. */
  readonly signedHash: string
}

/** TLS protects a body by itself; without it, only a signed hash does. No body is hashed twice. */
export function payloadOf(body: Uint8Array, checksums: Checksums, isEncrypted: boolean): Payload {
  const sha256 = checksums === 'sha256' || !isEncrypted ? createHash('sha256').update(body).digest() : undefined
  return {
    fields: fieldsOf(body, checksums, sha256),
    signedHash: sha256 === undefined ? 'UNSIGNED-PAYLOAD' : sha256.toString('hex'),
  }
}

function fieldsOf(body: Uint8Array, checksums: Checksums, sha256: Buffer | undefined): ChecksumFields {
  if (checksums === 'sha256' && sha256 !== undefined) return { ChecksumSHA256: sha256.toString('base64') }
  if (checksums === 'md5') return { ContentMD5: createHash('md5').update(body).digest('base64') }
  if (checksums !== 'crc32') return {}
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(body))
  return { ChecksumCRC32: sum.toString('base64') }
}

/** Hashes of bodies on their way, by the input of their command. */
const signedHashes = new WeakMap<object, string>()

/** Tells the SDK the hash of a body, so that it does not compute its own. The client has to {@link takeSignedHashes}. */
export function withSignedHash<C extends { readonly input: object }>(command: C, hash: string): C {
  signedHashes.set(command.input, hash)
  return command
}

export function takeSignedHashes(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const hash = signedHashes.get(args.input)
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

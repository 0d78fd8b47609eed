import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Cipher, EncryptionModule } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'
import { BkpError, damaged } from '../errors/index.js'
import { toHex } from './ids.js'
import { maxObjectBytes, maxSmallObjectBytes } from './limits.js'

export const headerBytes = 128
const authenticatedBytes = 56
const reservedAt = 116
const magic = Buffer.from('bkp1')
const kinds = ['data-pack', 'metadata-pack', 'index', 'snapshot', 'session', 'condemnation'] as const

export type ObjectKind = (typeof kinds)[number]

/** A cipher with the module that tells its sizes. */
export interface CipherInUse {
  readonly module: Pick<EncryptionModule, 'id' | 'nonceBytes' | 'overheadBytes'>
  readonly cipher: Cipher
}

export interface Header {
  readonly kind: ObjectKind
  readonly cipherId: string
}

export interface NewObject {
  readonly header: Uint8Array
  /** The random key that the header wraps. */
  readonly key: Uint8Array
}

/** A header with a fresh key, wrapped under `wrappingKey`. */
export function newHeader(
  kind: ObjectKind,
  repositoryId: string,
  cipherId: string,
  wrappingKey: Uint8Array,
): NewObject {
  const header = Buffer.alloc(headerBytes)
  header.set(magic, 0)
  header[4] = kinds.indexOf(kind) + 1
  header[5] = 1
  header.set(Buffer.from(repositoryId, 'hex'), 8)
  header.write(cipherId, 24, 32, 'ascii')
  const key = randomBytes(32)
  const nonce = randomBytes(12)
  const wrap = createCipheriv('aes-256-gcm', wrappingKey, nonce)
  wrap.setAAD(header.subarray(0, authenticatedBytes))
  header.set(nonce, 56)
  header.set(wrap.update(key), 68)
  wrap.final()
  header.set(wrap.getAuthTag(), 100)
  return { header, key }
}

/** @throws BkpError `damaged`, `unsupported` */
export function parseHeader(bytes: Uint8Array, repositoryId: string): Header {
  if (bytes.length < headerBytes) throw damaged(`An object of ${bytes.length} bytes is too short to have a header`)
  if (!magic.equals(bytes.subarray(0, 4))) throw damaged('An object does not begin with "bkp1"')
  const kind = kinds[(bytes[4] as number) - 1]
  if (kind === undefined) throw damaged(`An object has the unknown kind ${bytes[4]}`)
  if (bytes[5] !== 1) {
    throw new BkpError(
      'unsupported',
      `An object's key is wrapped in a way (${bytes[5]}) that this version does not know`,
      {
        hint: 'Upgrade bkp',
      },
    )
  }
  if (bytes[6] !== 0 || bytes[7] !== 0 || bytes.subarray(reservedAt, headerBytes).some((byte) => byte !== 0)) {
    throw damaged('Reserved bytes of an object header are set')
  }
  const owner = toHex(bytes.subarray(8, 24))
  if (owner !== repositoryId) throw damaged(`An object belongs to the repository ${owner}`)
  const id = Buffer.from(bytes.subarray(24, 56))
  const end = id.indexOf(0)
  const cipherId = id.toString('latin1', 0, end < 0 ? 32 : end)
  if (!/^[a-z0-9.-]+$/.test(cipherId) || (end >= 0 && id.subarray(end).some((byte) => byte !== 0))) {
    throw damaged('The cipher id of an object is not legal')
  }
  return { kind, cipherId }
}

/** Which cipher an object names, before anything of it is checked; undefined for what is none. */
export function cipherIdIn(bytes: Uint8Array): string | undefined {
  if (bytes.length < headerBytes || !magic.equals(bytes.subarray(0, 4))) return undefined
  return /^[a-z0-9.-]+/.exec(Buffer.from(bytes.subarray(24, 56)).toString('latin1'))?.[0]
}

/** @throws BkpError `damaged` */
export function unwrapObjectKey(header: Uint8Array, wrappingKey: Uint8Array): Uint8Array {
  const unwrap = createDecipheriv('aes-256-gcm', wrappingKey, header.subarray(56, 68))
  unwrap.setAAD(header.subarray(0, authenticatedBytes))
  unwrap.setAuthTag(header.subarray(100, 116))
  try {
    const key = unwrap.update(header.subarray(68, 100))
    unwrap.final()
    return new Uint8Array(key)
  } catch (cause) {
    throw damaged('The header of an object is damaged, or it was written with other keys', cause)
  }
}

/** Seals and opens the parts of one object, with memory that is used again for every part. */
export class PartSealer {
  readonly #cipher: CipherInUse
  readonly #key: Uint8Array
  readonly #nonce: Uint8Array
  readonly #nonceView: DataView
  readonly #aad = new Uint8Array(authenticatedBytes + 8)
  readonly #aadView = new DataView(this.#aad.buffer)

  constructor(cipher: CipherInUse, key: Uint8Array, header: Uint8Array) {
    this.#cipher = cipher
    this.#key = key
    this.#nonce = new Uint8Array(cipher.module.nonceBytes)
    this.#nonceView = new DataView(this.#nonce.buffer)
    this.#aad.set(header.subarray(0, authenticatedBytes))
  }

  get overheadBytes(): number {
    return this.#cipher.module.overheadBytes
  }

  seal(position: number, plain: Uint8Array, output: Uint8Array): void {
    this.#place(position)
    this.#cipher.cipher.seal(this.#key, this.#nonce, this.#aad, plain, output)
  }

  /**
   * @param output exactly {@link overheadBytes} shorter than `sealed`
   * @throws BkpError `damaged`
   */
  open(position: number, sealed: Uint8Array, output: Uint8Array): void {
    if (sealed.length < this.overheadBytes) throw damaged(`The ${sealed.length} bytes at ${position} are too few`)
    if (output.length !== sealed.length - this.overheadBytes) throw new RangeError('The output has another length')
    this.#place(position)
    try {
      this.#cipher.cipher.open(this.#key, this.#nonce, this.#aad, sealed, output)
    } catch (cause) {
      if (!isPortError(cause, 'corrupt')) throw cause
      throw damaged(`Bytes ${position} to ${position + sealed.length} do not authenticate`, cause)
    }
  }

  #place(position: number): void {
    const low = position >>> 0
    const high = position === trailerPosition ? 0xffffffff : Math.floor(position / 2 ** 32)
    const lowWord = position === trailerPosition ? 0xffffffff : low
    this.#nonceView.setUint32(0, lowWord, true)
    this.#nonceView.setUint32(4, high, true)
    this.#aadView.setUint32(authenticatedBytes, lowWord, true)
    this.#aadView.setUint32(authenticatedBytes + 4, high, true)
  }
}

/** Stands for 2⁶⁴ − 1. */
export const trailerPosition = Number.POSITIVE_INFINITY

/** A whole object with one part (all kinds but packs). */
export function sealObject(
  kind: ObjectKind,
  repositoryId: string,
  wrappingKey: Uint8Array,
  cipher: CipherInUse,
  payload: Uint8Array,
): Uint8Array {
  const length = headerBytes + payload.length + cipher.module.overheadBytes
  // A reader would refuse it, so it must never be written.
  if (length > largestOf(kind))
    throw new BkpError('internal', `A ${kind} would have ${length} bytes, which is too many`)
  const { header, key } = newHeader(kind, repositoryId, cipher.module.id, wrappingKey)
  const bytes = new Uint8Array(length)
  bytes.set(header)
  new PartSealer(cipher, key, header).seal(headerBytes, payload, bytes.subarray(headerBytes))
  return bytes
}

/** @throws BkpError `damaged`, `unsupported`, `missing-plugin` */
export function openObject(
  kind: ObjectKind,
  repositoryId: string,
  wrappingKey: Uint8Array,
  cipherFor: (id: string) => CipherInUse,
  bytes: Uint8Array,
): Uint8Array {
  if (bytes.length > largestOf(kind)) throw damaged(`A ${kind} of ${bytes.length} bytes is larger than it can be`)
  const header = parseHeader(bytes, repositoryId)
  if (header.kind !== kind) throw damaged(`A ${header.kind} stands where a ${kind} belongs`)
  // Proves the cipher id, too: what a storage wrote there must not send anybody to look for a plugin.
  const key = unwrapObjectKey(bytes.subarray(0, headerBytes), wrappingKey)
  const cipher = cipherFor(header.cipherId)
  const length = bytes.length - headerBytes - cipher.module.overheadBytes
  if (length < 0) throw damaged(`A ${kind} of ${bytes.length} bytes is cut short`)
  const payload = new Uint8Array(length)
  new PartSealer(cipher, key, bytes).open(headerBytes, bytes.subarray(headerBytes), payload)
  return payload
}

function largestOf(kind: ObjectKind): number {
  return kind === 'session' ? maxSmallObjectBytes : maxObjectBytes
}

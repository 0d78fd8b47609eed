import { Cursor, damaged, Unsupported } from './bytes.mjs'
import { cipherNamed, openAesGcm } from './crypto.mjs'

export const HEADER_BYTES = 128
export const KIND = { dataPack: 1, metadataPack: 2, index: 3, snapshot: 4 }
/** Where the trailer of a pack pretends to be: 2⁶⁴ − 1. */
export const TRAILER_OFFSET = 0xffff_ffff_ffff_ffffn
export const CODEC_ID = /^[a-z0-9.-]{1,32}$/

/** Section 5: an object that begins with the 128-byte header. `keys` has the subkeys `data` and `metadata`. */
export class SealedObject {
  constructor(bytes, expectedKinds, repositoryId, keys, where) {
    const header = new Cursor(bytes, where)
    if (header.take(4).toString('latin1') !== 'bkp1') damaged(where, 'does not begin with bkp1')
    this.kind = header.u8()
    if (!expectedKinds.includes(this.kind)) damaged(where, `is of kind ${this.kind}`)
    const wrapKind = header.u8()
    if (wrapKind !== 1) throw new Unsupported(`wrap kind ${wrapKind}`)
    header.zeros(2)
    if (!header.take(16).equals(repositoryId)) damaged(where, 'belongs to another repository')
    const cipherId = header.take(32).toString('latin1').replace(/\0+$/, '')
    if (!CODEC_ID.test(cipherId)) damaged(where, 'names no cipher')
    const nonce = header.take(12)
    const wrapped = header.take(48)
    header.zeros(12)

    this.bytes = bytes
    this.where = where
    this.cipher = cipherNamed(cipherId)
    this.aad = bytes.subarray(0, 56)
    this.key = openAesGcm(this.kind === KIND.dataPack ? keys.data : keys.metadata, nonce, this.aad, wrapped, where)
  }

  /** Opens the sealed part in bytes `start` to `end`; `offset` is what is authenticated as its place. */
  part(start, end, offset = BigInt(start)) {
    const where = `${this.where} at ${start}`
    if (start < HEADER_BYTES || end > this.bytes.length || start > end) damaged(where, `part ends at ${end}`)
    const place = Buffer.alloc(8)
    place.writeBigUInt64LE(offset)
    const nonce = Buffer.concat([place], this.cipher.nonceBytes)
    return this.cipher.open(this.key, nonce, Buffer.concat([this.aad, place]), this.bytes.subarray(start, end), where)
  }

  /** The one part of everything that is no pack. */
  onlyPart() {
    return this.part(HEADER_BYTES, this.bytes.length)
  }
}

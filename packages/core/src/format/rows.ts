import { damaged } from '../errors/index.js'
import { maxBlobBytes, maxCompressionIds, maxSealedGrowthBytes } from './limits.js'

/** Size of one row of a pack directory or index segment. */
export const rowBytes = 48

/** Reads fields of 48-byte rows without making objects. */
export class Rows {
  readonly bytes: Uint8Array
  readonly count: number
  readonly #view: DataView

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.count = bytes.length / rowBytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  /** Copies the id's eight words. */
  copyId(row: number, into: Uint32Array): void {
    for (let word = 0; word < 8; word++) into[word] = this.#view.getUint32(row * rowBytes + word * 4, true)
  }

  idHex(row: number): string {
    return Buffer.from(this.bytes.subarray(row * rowBytes, row * rowBytes + 32)).toString('hex')
  }

  offset(row: number): number {
    return this.#view.getUint32(row * rowBytes + 32, true)
  }

  sealedLength(row: number): number {
    return this.#view.getUint32(row * rowBytes + 36, true)
  }

  plainLength(row: number): number {
    return this.#view.getUint32(row * rowBytes + 40, true)
  }

  compression(row: number): number {
    return this.bytes[row * rowBytes + 44] as number
  }

  type(row: number): number {
    return this.bytes[row * rowBytes + 45] as number
  }

  /** Bytes without a meaning yet; 0. */
  reserved(row: number): number {
    return this.#view.getUint16(row * rowBytes + 46, true)
  }
}

/**
 * Checks rows that came from a storage.
 * @param from first byte that a blob may take in the pack
 * @param to first byte behind the last one
 * @param overheadBytes of the pack's cipher, as far as it is known
 * @throws BkpError `damaged`
 */
export function validateRows(
  rows: Rows,
  compressionCount: number,
  isMetadata: boolean,
  from: number,
  to: number,
  overheadBytes = 0,
): void {
  let end = from
  for (let row = 0; row < rows.count; row++) {
    const offset = rows.offset(row)
    const sealed = rows.sealedLength(row)
    const plain = rows.plainLength(row)
    const type = rows.type(row)
    if (offset < end || offset + sealed > to) throw damaged(`Blob ${row} of a pack lies outside of its place`)
    if (plain === 0 || plain > maxBlobBytes) throw damaged(`Blob ${row} of a pack claims ${plain} bytes`)
    if (sealed <= overheadBytes || sealed > maxBlobBytes + maxSealedGrowthBytes)
      throw damaged(`Blob ${row} of a pack claims to take ${sealed} bytes`)
    if (rows.compression(row) >= compressionCount) throw damaged(`Blob ${row} of a pack names no compression`)
    if (type > 2 || (type === 0) === isMetadata)
      throw damaged(`Blob ${row} of a pack has type ${type}, which does not belong there`)
    if (rows.reserved(row) !== 0) throw damaged(`Reserved bytes of blob ${row} of a pack are set`)
    end = offset + sealed
  }
}

const compressionId = /^[a-z0-9.-]{1,32}$/

/** u8 count, then per id u8 length and ASCII. */
export function encodeCompressionIds(ids: readonly string[]): Uint8Array {
  if (ids.length > maxCompressionIds || !ids.every((id) => compressionId.test(id)))
    throw new RangeError(`These are no compression ids: ${ids.join(', ')}`)
  const parts = ids.flatMap((id) => [Uint8Array.of(id.length), Buffer.from(id, 'ascii')])
  return Buffer.concat([Uint8Array.of(ids.length), ...parts])
}

/** @throws BkpError `damaged` */
export function decodeCompressionIds(bytes: Uint8Array): { readonly ids: readonly string[]; readonly end: number } {
  const count = bytes[0]
  if (count === undefined || count > maxCompressionIds) throw damaged('The list of compressions is damaged')
  const ids: string[] = []
  let at = 1
  for (let n = 0; n < count; n++) {
    const length = bytes[at]
    if (length === undefined || length === 0 || length > 32 || at + 1 + length > bytes.length) {
      throw damaged('The list of compressions is damaged')
    }
    const id = Buffer.from(bytes.subarray(at + 1, at + 1 + length)).toString('latin1')
    if (!compressionId.test(id)) throw damaged('The list of compressions is damaged')
    ids.push(id)
    at += 1 + length
  }
  return { ids, end: at }
}

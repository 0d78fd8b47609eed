import { damaged } from '../errors/index.js'
import { maxPackBytes } from './limits.js'
import { decodeCompressionIds, encodeCompressionIds, Rows, rowBytes, validateRows } from './rows.js'
import { headerBytes } from './sealed-object.js'

/** One pack as the index describes it. */
export interface IndexPack {
  readonly name: string
  readonly sizeBytes: number
  readonly kind: 'data' | 'metadata'
  readonly compressionIds: readonly string[]
  /** 48-byte rows whose compression numbers refer to `compressionIds`. */
  readonly rows: Uint8Array
}

const packHeaderBytes = 44

/** The payload of an index segment. */
export function encodeIndexSegment(packs: readonly IndexPack[]): Uint8Array {
  const ids = [...new Set(packs.flatMap((pack) => pack.compressionIds))]
  const parts: Uint8Array[] = [encodeCompressionIds(ids), u32(packs.length)]
  for (const pack of packs) {
    // Not `slice`, which gives a Buffer's own memory.
    const rows = new Uint8Array(pack.rows)
    const numbers = pack.compressionIds.map((id) => ids.indexOf(id))
    for (let at = 44; at < rows.length; at += rowBytes) {
      const number = numbers[rows[at] as number]
      if (number === undefined) throw new RangeError(`A row of the pack ${pack.name} names no compression`)
      rows[at] = number
    }
    parts.push(
      Buffer.from(pack.name, 'hex'),
      u32(pack.sizeBytes),
      Uint8Array.of(pack.kind === 'data' ? 1 : 2, 0, 0, 0),
      u32(rows.length / rowBytes),
      rows,
    )
  }
  return Buffer.concat(parts)
}

/**
 * Gives every pack of a segment to `onPack`, whose rows are views on the payload. What was given before an error was
 * sound by itself.
 * @throws BkpError `damaged`
 */
export function decodeIndexSegment(
  payload: Uint8Array,
  onPack: (pack: Omit<IndexPack, 'rows'> & { readonly rows: Rows }) => void,
): void {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length)
  const { ids, end } = decodeCompressionIds(payload)
  if (end + 4 > payload.length) throw damaged('An index segment is cut short')
  const packs = view.getUint32(end, true)
  let at = end + 4
  for (let n = 0; n < packs; n++) {
    if (at + packHeaderBytes > payload.length) throw damaged('An index segment is cut short')
    const name = Buffer.from(payload.subarray(at, at + 32)).toString('hex')
    const sizeBytes = view.getUint32(at + 32, true)
    const kind = payload[at + 36]
    const reserved = view.getUint32(at + 36, true) >>> 8
    const bytes = view.getUint32(at + 40, true) * rowBytes
    at += packHeaderBytes
    if (kind !== 1 && kind !== 2) throw damaged(`An index segment names a pack of the unknown kind ${kind}`)
    if (reserved !== 0) throw damaged('Reserved bytes of an index segment are set')
    if (sizeBytes < headerBytes || sizeBytes > maxPackBytes)
      throw damaged(`An index segment names a pack of ${sizeBytes} bytes`)
    if (at + bytes > payload.length) throw damaged('An index segment is cut short')
    const rows = new Rows(payload.subarray(at, at + bytes))
    validateRows(rows, ids.length, kind === 2, headerBytes, sizeBytes)
    onPack({ name, sizeBytes, kind: kind === 1 ? 'data' : 'metadata', compressionIds: ids, rows })
    at += bytes
  }
  if (at !== payload.length) throw damaged('An index segment has bytes behind its end')
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

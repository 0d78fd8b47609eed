import { Cursor, damaged } from './bytes.mjs'
import { CODEC_ID, HEADER_BYTES, KIND, TRAILER_OFFSET } from './sealed.mjs'

export const MAX_BLOB_BYTES = 16 * 1024 * 1024
const MAX_PACK_BYTES = 64 * 1024 * 1024
const ROW_BYTES = 48
const TYPES_OF = { [KIND.dataPack]: [0], [KIND.metadataPack]: [1, 2] }

function compressionIds(cursor) {
  const ids = []
  for (let left = cursor.u8(); left > 0; left--) {
    const id = cursor.take(cursor.u8()).toString('latin1')
    if (!CODEC_ID.test(id)) damaged(cursor.where, 'names no compression')
    ids.push(id)
  }
  return ids
}

/** `end` is the first byte of the pack that no blob can use. */
function rows(cursor, number, ids, kind, end) {
  const result = []
  let free = HEADER_BYTES
  for (let left = number; left > 0; left--) {
    const id = cursor.take(32).toString('hex')
    const offset = cursor.u32()
    const sealedLength = cursor.u32()
    const length = cursor.u32()
    const compression = ids[cursor.u8()]
    const type = cursor.u8()
    cursor.zeros(2)
    if (compression === undefined) damaged(cursor.where, `blob ${id}: compression is not in the list`)
    if (!TYPES_OF[kind].includes(type)) damaged(cursor.where, `blob ${id}: type ${type} in a pack of kind ${kind}`)
    if (length === 0 || length > MAX_BLOB_BYTES || sealedLength === 0) damaged(cursor.where, `blob ${id}: length`)
    if (offset < free || offset + sealedLength > end) damaged(cursor.where, `blob ${id}: place in the pack`)
    free = offset + sealedLength
    result.push({ id, offset, sealedLength, length, compression, type })
  }
  return result
}

/** Section 6: the rows of a pack's own directory. */
export function packDirectory(pack) {
  const { bytes, cipher, where } = pack
  const trailerAt = bytes.length - 16 - cipher.overheadBytes
  const trailer = new Cursor(pack.part(trailerAt, bytes.length, TRAILER_OFFSET), `${where}, trailer`)
  const directoryAt = trailer.u64()
  const directoryLength = trailer.u32()
  const number = trailer.u32()
  trailer.end()
  if (directoryAt + directoryLength > trailerAt) damaged(where, 'its directory is beyond its end')
  const directory = new Cursor(pack.part(directoryAt, directoryAt + directoryLength), `${where}, directory`)
  const result = rows(directory, number, compressionIds(directory), pack.kind, directoryAt)
  directory.end()
  return result
}

/** Section 7: `[{ name, size, kind, rows }]`. */
export function parseIndex(bytes, where) {
  const cursor = new Cursor(bytes, where)
  const ids = compressionIds(cursor)
  const packs = []
  for (let left = cursor.u32(); left > 0; left--) {
    const name = cursor.take(32).toString('hex')
    const size = cursor.u32()
    const kind = cursor.u8()
    cursor.zeros(3)
    if (!(kind in TYPES_OF) || size > MAX_PACK_BYTES) damaged(where, `pack ${name}: kind ${kind}, ${size} bytes`)
    const number = cursor.u32()
    if (number * ROW_BYTES > cursor.left) damaged(where, `pack ${name}: ${number} rows`)
    packs.push({ name, size, kind, rows: rows(cursor, number, ids, kind, size) })
  }
  cursor.end()
  return packs
}

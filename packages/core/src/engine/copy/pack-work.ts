import { headerBytes } from '../../format/sealed-object.js'
import type { ChunkTable } from '../../repository/chunk-table.js'

/** Ranges that lie closer together are read as one. */
const joinedGapBytes = 256 * 1024

export interface ByteSpan {
  readonly offset: number
  readonly length: number
}

/** What is wanted of one pack. */
export interface PackWork {
  readonly pack: number
  /** Table entries of its blobs, by their offset. */
  readonly entries: Uint32Array
}

type Places = Pick<ChunkTable, 'packOf' | 'offsetOf' | 'sealedLengthOf'>

/** Blobs by the packs that hold them, so that each pack is read once. */
export function* groupByPack(entries: Uint32Array, table: Places, packCount: number): Generator<PackWork> {
  const ends = new Uint32Array(packCount)
  for (const entry of entries) ends[table.packOf(entry)] = (ends[table.packOf(entry)] as number) + 1
  let sum = 0
  for (let pack = 0; pack < packCount; pack++) {
    const count = ends[pack] as number
    ends[pack] = sum
    sum += count
  }
  const sorted = new Uint32Array(entries.length)
  for (const entry of entries) {
    const pack = table.packOf(entry)
    const at = ends[pack] as number
    sorted[at] = entry
    ends[pack] = at + 1
  }
  let start = 0
  for (let pack = 0; pack < packCount; pack++) {
    const end = ends[pack] as number
    const part = sorted.slice(start, end).sort((a, b) => table.offsetOf(a) - table.offsetOf(b))
    if (part.length > 0) yield { pack, entries: part }
    start = end
  }
}

/** Which bytes of a pack are to be read: all where half of them are wanted, else the header and what is wanted. */
export function spansOf({ entries }: PackWork, table: Places, packBytes: number): readonly ByteSpan[] {
  const spans: { offset: number; length: number }[] = [{ offset: 0, length: headerBytes }]
  let wanted = 0
  for (const entry of entries) {
    const offset = table.offsetOf(entry)
    const length = table.sealedLengthOf(entry)
    wanted += length
    const last = spans.at(-1)
    if (last !== undefined && offset <= last.offset + last.length + joinedGapBytes)
      last.length = Math.max(last.length, offset + length - last.offset)
    else spans.push({ offset, length })
  }
  return wanted > packBytes / 2 ? [{ offset: 0, length: packBytes }] : spans
}

import type { ChunkTable } from '../../repository/chunk-table.js'

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

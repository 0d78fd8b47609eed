import type { Storage } from '@bkp/plugin-api'
import { headerBytes } from '../format/sealed-object.js'
import type { ChunkTable } from '../repository/chunk-table.js'
import { forEachAtATime, readsAtATime } from '../repository/repository-index.js'
import { readInto } from './pack-cache.js'

// What lies nearer than this is fetched as one: a gap costs less than a request.
const joinedGapBytes = 256 * 1024

export interface ByteSpan {
  readonly offset: number
  readonly length: number
}

/**
 * Which bytes of a pack are needed for some of its blobs: those and its header, neighbours as one.
 * @param entries of the blobs in the table, by their offset
 */
export function spansOf(
  entries: Uint32Array,
  table: Pick<ChunkTable, 'offsetOf' | 'sealedLengthOf'>,
): readonly ByteSpan[] {
  let last = { offset: 0, length: headerBytes }
  const spans = [last]
  for (const entry of entries) {
    const offset = table.offsetOf(entry)
    const length = table.sealedLengthOf(entry)
    if (offset <= last.offset + last.length + joinedGapBytes)
      last.length = Math.max(last.length, offset + length - last.offset)
    else {
      last = { offset, length }
      spans.push(last)
    }
  }
  return spans
}

/**
 * Reads spans of a pack to their places, side by side; the whole pack where that is more than half of it. Nothing is written to the
 * memory any more when this settles.
 * @param into as long as the pack
 */
export async function readSpans(
  storage: Storage,
  key: string,
  spans: readonly ByteSpan[],
  into: Uint8Array,
): Promise<void> {
  const needed = spans.reduce((sum, { length }) => sum + length, 0)
  const parts = needed > into.length / 2 ? [{ offset: 0, length: into.length }] : spans
  await forEachAtATime(parts, readsAtATime, ({ offset, length }) =>
    readInto(storage, key, offset, into.subarray(offset, offset + length)),
  )
}

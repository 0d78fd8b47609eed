import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupByPack } from './pack-work.js'

const blobBytes = 1_000_000

/** A blob for each pair of pack and offset. */
function placesOf(places: readonly (readonly [pack: number, offset: number])[]) {
  const at = (entry: number) => places[entry] as readonly [number, number]
  return {
    packOf: (entry: number) => at(entry)[0],
    offsetOf: (entry: number) => at(entry)[1],
    sealedLengthOf: () => blobBytes,
  }
}

describe('groupByPack', () => {
  it('gives every blob once, each pack once, blobs by their offset', () => {
    const place = fc.tuple(fc.nat(9), fc.nat(1_000_000))
    fc.assert(
      fc.property(fc.array(place), (places) => {
        const table = placesOf(places)
        const works = [...groupByPack(Uint32Array.from(places.keys()), table, 12)]
        expect(works.flatMap(({ entries }) => [...entries]).sort((a, b) => a - b)).toEqual([...places.keys()])
        expect(new Set(works.map(({ pack }) => pack)).size).toBe(works.length)
        for (const { pack, entries } of works) {
          const offsets = [...entries].map((entry) => table.offsetOf(entry))
          expect(offsets).toEqual([...offsets].sort((a, b) => a - b))
          for (const entry of entries) expect(table.packOf(entry)).toBe(pack)
        }
      }),
    )
  })
})

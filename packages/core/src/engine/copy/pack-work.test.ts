import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { groupByPack, spansOf } from './pack-work.js'

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

describe('spansOf', () => {
  const packBytes = 16_000_000

  it('are the header and what is wanted, neighbours as one', () => {
    const table = placesOf([
      [0, 2_000_000],
      [0, 3_000_100],
      [0, 9_000_000],
    ])
    expect(spansOf({ pack: 0, entries: Uint32Array.of(0, 1, 2) }, table, packBytes)).toEqual([
      { offset: 0, length: 128 },
      { offset: 2_000_000, length: 2_000_100 },
      { offset: 9_000_000, length: blobBytes },
    ])
  })

  it('are one with the header where that is near', () => {
    const table = placesOf([[0, 128]])
    expect(spansOf({ pack: 0, entries: Uint32Array.of(0) }, table, packBytes)).toEqual([
      { offset: 0, length: 128 + blobBytes },
    ])
  })

  it('are the whole pack where more than half of it is wanted', () => {
    const table = placesOf(Array.from({ length: 9 }, (_, n) => [0, 128 + n * 1_700_000] as const))
    const spans = spansOf({ pack: 0, entries: Uint32Array.from({ length: 9 }, (_, n) => n) }, table, packBytes)
    expect(spans).toEqual([{ offset: 0, length: packBytes }])
  })
})

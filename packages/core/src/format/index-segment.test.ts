import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeIndexSegment, encodeIndexSegment, type IndexPack } from './index-segment.js'
import { rowBytes } from './rows.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'
import { bytesOf, vectors } from './testing/vectors.js'

function decode(payload: Uint8Array): IndexPack[] {
  const packs: IndexPack[] = []
  decodeIndexSegment(payload, (pack) => packs.push({ ...pack, rows: new Uint8Array(pack.rows.bytes) }))
  return packs
}

/** Rows one after the other, as a pack has them. */
function rowsOf(lengths: readonly number[], type: number, compression: number): Uint8Array {
  const rows = new Uint8Array(lengths.length * rowBytes)
  const view = new DataView(rows.buffer)
  let offset = 128
  for (const [n, length] of lengths.entries()) {
    rows.fill(n + 1, n * rowBytes, n * rowBytes + 32)
    view.setUint32(n * rowBytes + 32, offset, true)
    view.setUint32(n * rowBytes + 36, length, true)
    view.setUint32(n * rowBytes + 40, length, true)
    rows[n * rowBytes + 44] = compression
    rows[n * rowBytes + 45] = type
    offset += length
  }
  return rows
}

const packs = fc.array(
  fc.record({
    name: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    isMetadata: fc.boolean(),
    lengths: fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 5 }),
    compressionIds: fc.constantFrom(['none'], ['none', 'zstd'], ['none', 'deflate'], ['zstd', 'none', 'x-1.0']),
    compression: fc.nat(2),
  }),
  { maxLength: 6 },
)

describe('index segments', () => {
  it('say again what they were told, also of packs with different compressions', () => {
    fc.assert(
      fc.property(packs, (list) => {
        const told = list.map(({ name, isMetadata, lengths, compressionIds, compression }) => {
          const number = compression % compressionIds.length
          return {
            name,
            sizeBytes: 10_000,
            kind: isMetadata ? ('metadata' as const) : ('data' as const),
            compressionIds,
            rows: rowsOf(lengths, isMetadata ? 1 : 0, number),
            used: compressionIds[number],
          }
        })
        const heard = decode(encodeIndexSegment(told))
        expect(heard.map(({ name, sizeBytes, kind }) => [name, sizeBytes, kind])).toEqual(
          told.map(({ name, sizeBytes, kind }) => [name, sizeBytes, kind]),
        )
        for (const [n, { rows, compressionIds }] of heard.entries()) {
          const before = told[n]?.rows as Uint8Array
          for (let at = 0; at < rows.length; at += rowBytes) {
            expect(compressionIds[rows[at + 44] as number]).toBe(told[n]?.used)
            expect(rows.slice(at, at + 44)).toEqual(before.slice(at, at + 44))
            expect(rows[at + 45]).toBe(before[at + 45])
          }
        }
      }),
    )
  })

  it('leave the rows that they were given as they were', () => {
    const rows = Buffer.from(rowsOf([5], 0, 1))
    const before = Buffer.from(rows)
    const one = { sizeBytes: 1000, kind: 'data' as const, rows }
    encodeIndexSegment([
      { ...one, name: 'aa'.repeat(32), compressionIds: ['a', 'b'] },
      { ...one, name: 'bb'.repeat(32), compressionIds: ['b', 'a'] },
    ])
    expect(rows).toEqual(before)
  })

  it('are not written with a row whose compression is not listed', () => {
    const pack: IndexPack = {
      name: 'aa'.repeat(32),
      sizeBytes: 1000,
      kind: 'data',
      compressionIds: ['none'],
      rows: rowsOf([5], 0, 1),
    }
    expect(() => encodeIndexSegment([pack])).toThrow(RangeError)
    expect(() => encodeIndexSegment([{ ...pack, compressionIds: ['none', 'Not An Id'] }])).toThrow(RangeError)
  })

  it('are refused when they are cut short anywhere', () => {
    const payload = bytesOf(vectors.index)
    for (let length = 0; length < payload.length; length++) {
      expect(() => decode(payload.subarray(0, length))).toThrow(expect.objectContaining({ code: 'damaged' }))
    }
    expect(() => decode(Buffer.concat([payload, Uint8Array.of(0)]))).toThrow('bytes behind its end')
  })

  it('are refused or sound after any damage, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(bytesOf(vectors.index)), (payload) => {
        outcomeOf(() => decode(payload))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
        outcomeOf(() => decode(payload))
      }),
    )
  })

  it('read from any place in larger memory', () => {
    const payload = bytesOf(vectors.index)
    const memory = new Uint8Array(payload.length + 3)
    memory.set(payload, 3)
    expect(decode(memory.subarray(3))).toEqual(decode(payload))
  })
})

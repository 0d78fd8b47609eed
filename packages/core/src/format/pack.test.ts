import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { maxBlobBytes } from './limits.js'
import { PackBuilder, packCapacityBytes, readDirectory, readTrailer, trailerBytes } from './pack.js'
import { padmeLength } from './padme.js'
import { type CipherInUse, headerBytes, PartSealer, parseHeader, unwrapObjectKey } from './sealed-object.js'
import { aesGcm, transparent } from './testing/ciphers.js'
import { damagedCopies, outcomeOf } from './testing/damage.js'

const repositoryId = '00112233445566778899aabbccddeeff'
const wrappingKey = new Uint8Array(32).fill(7)
const id = (n: number) => new Uint8Array(32).fill(n)

function builder(kind: 'data-pack' | 'metadata-pack' = 'data-pack', cipher: CipherInUse = aesGcm): PackBuilder {
  return new PackBuilder({ kind, repositoryId, wrappingKey, cipher, compressionIds: ['none', 'zstd'] })
}

function readPack(bytes: Uint8Array, cipher: CipherInUse = aesGcm) {
  const { kind } = parseHeader(bytes, repositoryId)
  const sealer = new PartSealer(cipher, unwrapObjectKey(bytes.subarray(0, headerBytes), wrappingKey), bytes)
  const end = bytes.subarray(bytes.length - trailerBytes(sealer.overheadBytes))
  const trailer = readTrailer(sealer, end, bytes.length)
  const sealed = bytes.subarray(trailer.offset, trailer.offset + trailer.length)
  const { rows, compressionIds } = readDirectory(sealer, sealed, trailer, kind === 'metadata-pack')
  const blobs = Array.from({ length: rows.count }, (_, row) => {
    const at = rows.offset(row)
    const blob = new Uint8Array(rows.sealedLength(row) - sealer.overheadBytes)
    sealer.open(at, bytes.subarray(at, at + rows.sealedLength(row)), blob)
    return blob
  })
  return { rows, compressionIds, blobs, trailer }
}

describe('packs', () => {
  it('give back every blob with its row', () => {
    const blob = fc.uint8Array({ minLength: 1, maxLength: 300 })
    fc.assert(
      fc.property(fc.array(blob, { minLength: 1, maxLength: 40 }), (blobs) => {
        const pack = builder('metadata-pack')
        for (const [n, bytes] of blobs.entries()) pack.add(id(n), 1 + (n % 2), n % 2, bytes.length + n, bytes)
        const { bytes, rows } = pack.finish()
        expect(bytes).toHaveLength(padmeLength(bytes.length))
        const read = readPack(bytes)
        expect(read.blobs).toEqual(blobs)
        expect(read.rows.bytes).toEqual(rows)
        expect(read.compressionIds).toEqual(['none', 'zstd'])
        for (const [n, { length }] of blobs.entries()) {
          expect(read.rows.idHex(n)).toBe(Buffer.from(id(n)).toString('hex'))
          expect(read.rows.type(n)).toBe(1 + (n % 2))
          expect(read.rows.compression(n)).toBe(n % 2)
          expect(read.rows.plainLength(n)).toBe(length + n)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('never become longer than their capacity, whatever the padding', () => {
    const pack = builder()
    const blob = randomBytes(1_000_000)
    while (pack.fits(blob.length)) pack.add(id(pack.count), 0, 0, blob.length, blob)
    const { bytes } = pack.finish()
    expect(bytes.length).toBeLessThanOrEqual(packCapacityBytes)
    expect(readPack(bytes).blobs).toHaveLength(16)
  })

  it('fill up with small blobs to the last row', () => {
    const pack = builder()
    const blob = new Uint8Array(4000)
    while (pack.fits(4000)) pack.add(id(pack.count & 255), 0, 0, 4000, blob)
    while (pack.fits(1)) pack.add(id(pack.count & 255), 0, 0, 1, blob.subarray(0, 1))
    expect(() => pack.add(id(0), 0, 0, 1, blob.subarray(0, 1))).toThrow(RangeError)
    expect(pack.finish().bytes).toHaveLength(packCapacityBytes)
  })

  it('take one blob of any legal length', () => {
    const pack = builder()
    const blob = new Uint8Array(maxBlobBytes).fill(1)
    expect(pack.fits(blob.length)).toBe(true)
    pack.add(id(1), 0, 0, blob.length, blob)
    expect(pack.fits(1)).toBe(false)
    const { bytes } = pack.finish()
    expect(bytes.length).toBeLessThan(20 * 1024 * 1024)
    expect(Buffer.compare(readPack(bytes).blobs[0] as Uint8Array, blob)).toBe(0)
  })

  it('hold nothing of the pack before', () => {
    const pack = builder()
    pack.add(id(1), 0, 0, 5, Buffer.from('first'))
    const first = pack.finish()
    pack.reset()
    pack.add(id(2), 0, 1, 9, Buffer.from('second'))
    const second = pack.finish()
    expect(first.rows).not.toEqual(second.rows)
    expect(readPack(first.bytes).blobs.map(String)).toEqual([String(new Uint8Array(Buffer.from('first')))])
    expect(readPack(second.bytes).blobs).toEqual([new Uint8Array(Buffer.from('second'))])
  })

  it('are not written empty', () => {
    expect(() => builder().finish()).toThrow('A pack without blobs is not written')
  })

  it('hide lengths by random padding', () => {
    const pack = builder()
    pack.add(id(1), 0, 0, 70_000, new Uint8Array(70_000))
    const { bytes } = pack.finish()
    const { trailer } = readPack(bytes)
    const padding = bytes.subarray(trailer.offset + trailer.length, bytes.length - 32)
    expect(padding.length).toBeGreaterThan(500)
    expect(new Set(padding).size).toBeGreaterThan(100)
  })

  it('are refused when they are cut short anywhere', () => {
    const pack = builder()
    pack.add(id(1), 0, 0, 50, randomBytes(50))
    const { bytes } = pack.finish()
    for (let length = 0; length < bytes.length; length++) {
      expect(outcomeOf(() => readPack(bytes.subarray(0, length)))).toBe('refused')
    }
  })
})

describe('the directory of a pack, should its cipher let damage through', () => {
  const small = builder('data-pack', transparent)
  for (let n = 1; n <= 3; n++) small.add(id(n), 0, n % 2, n * 10, new Uint8Array(n * 10).fill(n))
  const { bytes } = small.finish()
  const { trailer } = readPack(bytes, transparent)
  const rowsAt = trailer.offset + 11

  it('is refused or sound after any damage, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(bytes.subarray(trailer.offset)), (tail) => {
        const copy = Buffer.concat([bytes.subarray(0, trailer.offset), tail])
        outcomeOf(() => readPack(copy, transparent))
      }),
      { numRuns: 2000 },
    )
  })

  it.each([
    ['a blob that begins in the header', 32, 127, 'lies outside of its place'],
    ['a blob that reaches into the directory', 36, 4000, 'lies outside of its place'],
    ['a blob shorter than the cipher makes it', 36, 16, 'claims to take 16 bytes'],
    ['a blob of nothing', 40, 0, 'claims 0 bytes'],
    ['a blob beyond the limit', 40, maxBlobBytes + 1, 'claims 16777217 bytes'],
    ['a compression that is not listed', 44, 2, 'names no compression'],
    ['a tree among data', 44, 0x100, 'has type 1'],
    ['reserved bytes', 44, 0x1_0000, 'Reserved bytes'],
  ])('is refused with %s', (_what, field, value, message) => {
    const copy = bytes.slice()
    new DataView(copy.buffer).setUint32(rowsAt + field, value, true)
    expect(() => readPack(copy, transparent)).toThrow(expect.objectContaining({ code: 'damaged' }))
    expect(() => readPack(copy, transparent)).toThrow(message)
  })

  it('is refused with overlapping blobs', () => {
    const copy = bytes.slice()
    copy.copyWithin(rowsAt + 48, rowsAt, rowsAt + 48)
    expect(() => readPack(copy, transparent)).toThrow('Blob 1 of a pack lies outside of its place')
  })

  it.each([
    ['before the first blob', 0, 0],
    ['of no length', 8, 0],
    ['with more blobs than it holds', 12, 1_000_000],
    ['with fewer blobs than it holds', 12, 2],
  ])('is refused when the trailer places it %s', (_what, field, value) => {
    const copy = bytes.slice()
    new DataView(copy.buffer).setUint32(copy.length - 32 + field, value, true)
    expect(() => readPack(copy, transparent)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('is refused in a pack that is too large', () => {
    const sealer = new PartSealer(transparent, wrappingKey, bytes)
    expect(() => readTrailer(sealer, bytes.subarray(-32), 64 * 1024 * 1024 + 1)).toThrow('larger than it can be')
  })
})

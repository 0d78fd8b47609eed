import type { Compressor } from '@bkp/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectPortError, failureOf } from '../support/port-failures.js'
import { GuardedBytes, randomLikeBytes, textLikeBytes, withFlippedBit } from '../support/samples.js'
import type { GetCompressor } from './describe-compression.js'
import { compressAmply } from './round-trips.js'

const mebibyte = 1_048_576
const plain = textLikeBytes(2000)
// Margin for contexts and small buffers; a bomb of 16 MiB does not fit in.
const allowedGrowthBytes = 4 * mebibyte

export function describeDamage(compressor: GetCompressor): void {
  describe('damaged input', () => {
    it('is corrupt when it is cut off anywhere', () => {
      const compressed = compressAmply(compressor(), plain)
      for (let length = 0; length < compressed.length; length++) {
        expect([length, outcome(compressor(), compressed.subarray(0, length), plain.length)]).toEqual([
          length,
          'corrupt',
        ])
      }
    })

    it('is corrupt when it is cut off in a large blob', () => {
      const large = textLikeBytes(mebibyte)
      const compressed = compressAmply(compressor(), large)
      for (const share of [0, 0.1, 0.5, 0.9]) {
        const cut = compressed.subarray(0, Math.floor(compressed.length * share))
        expect(outcome(compressor(), cut, large.length)).toBe('corrupt')
      }
      expect(outcome(compressor(), compressed.subarray(0, -1), large.length)).toBe('corrupt')
    })

    it('is corrupt when it is something else', () => {
      for (const other of [new Uint8Array(0), new Uint8Array(100).fill(0xff), textLikeBytes(100)]) {
        expect(outcome(compressor(), other, 1000)).toBe('corrupt')
      }
    })

    // Codecs without a checksum may give other bytes: core compares the blob's id afterwards.
    it('never leads to another failure than corrupt, whichever bit is flipped', () => {
      const compressed = compressAmply(compressor(), plain.subarray(0, 600))
      for (let bit = 0; bit < compressed.length * 8; bit++) {
        expect([undefined, 'corrupt']).toContain(outcome(compressor(), withFlippedBit(compressed, bit), 600))
      }
    })

    it('never leads to another failure than corrupt, whatever the bytes are', () => {
      const anything = fc.tuple(fc.uint8Array({ maxLength: 500, size: 'max' }), fc.nat(2000))
      fc.assert(
        fc.property(anything, ([bytes, sizeBytes]) =>
          [undefined, 'corrupt'].includes(outcome(compressor(), bytes, sizeBytes)),
        ),
        { numRuns: 300 },
      )
    })

    it('does not spoil what comes after it', () => {
      const compressed = compressAmply(compressor(), plain)
      expect(outcome(compressor(), compressed.subarray(0, compressed.length >> 1), plain.length)).toBe('corrupt')
      const output = new Uint8Array(plain.length)
      compressor().decompress(compressed, output)
      expect(Buffer.compare(output, plain)).toBe(0)
    })
  })

  describe('a size that was not recorded', () => {
    it.each([
      { name: 'one byte less', change: -1 },
      { name: 'one byte more', change: 1 },
      { name: 'nothing', change: -plain.length },
      { name: 'much more', change: mebibyte },
    ])('is corrupt when $name is expected', ({ change }) => {
      const compressed = compressAmply(compressor(), plain)
      expect(outcome(compressor(), compressed, plain.length + change)).toBe('corrupt')
    })

    it('is corrupt, also for bytes that do not shrink', () => {
      const random = randomLikeBytes(1000)
      const compressed = compressAmply(compressor(), random)
      for (const size of [0, 999, 1001]) expect(outcome(compressor(), compressed, size)).toBe('corrupt')
    })

    it('cannot make a bomb go off: memory does not grow with what comes out', () => {
      const bomb = compressAmply(compressor(), new Uint8Array(16 * mebibyte))
      const output = new GuardedBytes(1000)
      const before = bytesOutsideOfHeap()
      expectPortError('corrupt', () => compressor().decompress(bomb, output.middle))
      expect(bytesOutsideOfHeap() - before).toBeLessThan(allowedGrowthBytes)
      expect(output.isIntact).toBe(true)
    })
  })
}

/** As `failureOf`, with a look at the memory around the output. */
function outcome(compressor: Compressor, input: Uint8Array, sizeBytes: number): string | undefined {
  const output = new GuardedBytes(sizeBytes)
  const failure = failureOf(() => compressor.decompress(input, output.middle))
  expect(output.isIntact).toBe(true)
  return failure
}

function bytesOutsideOfHeap(): number {
  return process.memoryUsage().external
}

import type { CompressionModule, Compressor } from '@bkp/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GuardedBytes, inSharedMemory, randomLikeBytes, textLikeBytes } from '../support/samples.js'
import type { CompressionSuiteOptions, GetCompressor } from './describe-compression.js'

const mebibyte = 1_048_576
const sizes = [0, 1, 2, 100, 10_000, 131_072, mebibyte + 1, 16 * mebibyte]
const contents: Readonly<Record<string, (sizeBytes: number) => Uint8Array>> = {
  zeros: (sizeBytes) => new Uint8Array(sizeBytes),
  text: textLikeBytes,
  'random bytes': (sizeBytes) => randomLikeBytes(sizeBytes, 7),
}
const cases = Object.keys(contents).flatMap((content) => sizes.map((sizeBytes) => ({ content, sizeBytes })))

export function describeRoundTrips(
  module: CompressionModule,
  { configuration = {} }: CompressionSuiteOptions,
  compressor: GetCompressor,
): void {
  describe('round trips', () => {
    it.each(cases)('gives back $sizeBytes bytes of $content', ({ content, sizeBytes }) => {
      const plain = contents[content]?.(sizeBytes) ?? new Uint8Array(0)
      const compressed = compressAmply(compressor(), plain)
      expect(Buffer.compare(decompress(compressor(), compressed, sizeBytes), plain)).toBe(0)
    })

    it('gives back any bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), (plain) => {
          const compressed = compressAmply(compressor(), plain)
          return Buffer.compare(decompress(compressor(), compressed, plain.length), plain) === 0
        }),
        { numRuns: 200 },
      )
    })

    it('shrinks text and zeros into the small output that core passes', () => {
      for (const plain of [textLikeBytes(mebibyte), new Uint8Array(1000)]) {
        const output = new Uint8Array(Math.floor(plain.length * 0.97))
        const length = compressor().compress(plain, output)
        expect(length).toBeGreaterThan(0)
        expect(Buffer.compare(decompress(compressor(), output.subarray(0, length), plain.length), plain)).toBe(0)
      }
    })

    it('leaves its input as it was, also in shared memory', () => {
      const original = textLikeBytes(50_000)
      const plain = inSharedMemory(original)
      const compressed = inSharedMemory(compressAmply(compressor(), plain))
      const before = Uint8Array.from(compressed)
      const output = decompress(compressor(), compressed, plain.length)
      expect([plain, output].every((bytes) => Buffer.compare(bytes, original) === 0)).toBe(true)
      expect(Buffer.compare(compressed, before)).toBe(0)
    })

    it('is read by another instance, as another thread or a later run has it', async () => {
      const plain = textLikeBytes(20_000)
      const compressed = compressAmply(compressor(), plain)
      const other = await module.create(configuration)
      expect(Buffer.compare(decompress(other, compressed, plain.length), plain)).toBe(0)
    })

    it('serves one thread for a long time', () => {
      for (let round = 1; round <= 500; round++) {
        const plain = round % 3 === 0 ? randomLikeBytes(round, round) : textLikeBytes(round * 7, round)
        const compressed = compressAmply(compressor(), plain)
        expect(Buffer.compare(decompress(compressor(), compressed, plain.length), plain)).toBe(0)
      }
    })
  })

  describe('an output that is too small', () => {
    const tooSmall = [
      { name: 'random bytes into 97 %', plain: randomLikeBytes(200_000), room: 194_000 },
      { name: 'text into 10 bytes', plain: textLikeBytes(200_000), room: 10 },
      { name: 'text into nothing', plain: textLikeBytes(200_000), room: 0 },
      { name: 'a byte into nothing', plain: new Uint8Array(1), room: 0 },
      { name: 'no bytes into nothing', plain: new Uint8Array(0), room: 0 },
    ]
    it.each(tooSmall)('gives -1 for $name and writes nowhere else', ({ plain, room }) => {
      const output = new GuardedBytes(room)
      expect(compressor().compress(plain, output.middle)).toBe(-1)
      expect(output.isIntact).toBe(true)
    })

    it('gives -1 for everything below the length that is needed, and goes on working', () => {
      const plain = textLikeBytes(300)
      const compressed = compressAmply(compressor(), plain)
      for (let room = 0; room < compressed.length; room++) {
        expect(compressor().compress(plain, new Uint8Array(room))).toBe(-1)
      }
      expect(Buffer.compare(compressAmply(compressor(), plain), compressed)).toBe(0)
    })

    it('never throws and never claims more than there is room for', () => {
      const anything = fc.tuple(fc.uint8Array({ maxLength: 2000, size: 'max' }), fc.nat(2500))
      fc.assert(
        fc.property(anything, ([plain, room]) => {
          const output = new GuardedBytes(room)
          const length = compressor().compress(plain, output.middle)
          if (!output.isIntact || length < -1 || length > room) return false
          if (length === -1) return true
          const back = decompress(compressor(), output.middle.subarray(0, length), plain.length)
          return Buffer.compare(back, plain) === 0
        }),
        { numRuns: 200 },
      )
    })
  })
}

/** With room for what grows. */
export function compressAmply(compressor: Compressor, plain: Uint8Array): Uint8Array {
  const output = new GuardedBytes(plain.length + Math.ceil(plain.length / 64) + 1024)
  const length = compressor.compress(plain, output.middle)
  expect(length).toBeGreaterThan(0)
  expect(output.isIntact).toBe(true)
  return output.middle.slice(0, length)
}

function decompress(compressor: Compressor, compressed: Uint8Array, sizeBytes: number): Uint8Array {
  const output = new GuardedBytes(sizeBytes)
  compressor.decompress(compressed, output.middle)
  expect(output.isIntact).toBe(true)
  return output.middle
}

import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { describeCompression, expectPortRejection, randomLikeBytes, textLikeBytes } from '@bkp/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeflateCompressor } from './deflate-compressor.js'
import deflate from './index.js'
import { looksIncompressible } from './sample.js'

const text = Buffer.from('the backup of a folder, '.repeat(6) + '0123456789'.repeat(3))
const golden = new URL('../golden.json', import.meta.url)
const vectors = [
  {
    name: 'what fflate 0.8.3 wrote at level 6',
    plain: text,
    compressedHex: '2bc94855484a4cce2e2d50c84f53485448cbcf49492dd25118287103432363135333730b4b6c2c00',
  },
  {
    name: 'what zlib wrote',
    plain: text,
    compressedHex: '2bc94855484a4cce2e2d50c84f53485448cbcf49492dd2512819207103432363135333730b4b6c2c00',
  },
  { name: 'a stored block', plain: Buffer.from('stored'), compressedHex: '010600f9ff73746f726564' },
  { name: 'an empty stream', plain: new Uint8Array(0), compressedHex: '0300' },
]

describeCompression(deflate, { vectors, golden })

describe('deflate', () => {
  const compressor = new DeflateCompressor(6)

  it('is read by zlib', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000, size: 'max' }), (plain) => {
        const output = new Uint8Array(plain.length + 1000)
        const length = compressor.compress(plain, output)
        return Buffer.compare(inflateRawSync(output.subarray(0, length)), plain) === 0
      }),
    )
  })

  it('reads what zlib writes, at every level and with every strategy', () => {
    const written = fc.record({ level: fc.integer({ min: 0, max: 9 }), strategy: fc.integer({ min: 0, max: 4 }) })
    const contents = fc.oneof(
      fc.uint8Array({ maxLength: 3000, size: 'max' }),
      fc.nat(300_000).map((size) => textLikeBytes(size)),
    )
    fc.assert(
      fc.property(contents, written, (plain, options) => {
        const output = new Uint8Array(plain.length)
        compressor.decompress(deflateRawSync(plain, options), output)
        return Buffer.compare(output, plain) === 0
      }),
    )
  })

  it.each([0, 10, 2.5, '6', null])('refuses the level %j', (level) =>
    expectPortRejection('config', async () => deflate.create({ level })),
  )
})

describe('the look at a sample', () => {
  it('spares random bytes and nothing else', () => {
    expect(looksIncompressible(randomLikeBytes(300_000))).toBe(true)
    expect(looksIncompressible(textLikeBytes(300_000))).toBe(false)
    expect(looksIncompressible(randomLikeBytes(10_000))).toBe(false)
  })

  it('makes compress give up, but only where the result would have to be smaller', () => {
    const random = randomLikeBytes(300_000)
    const compressor = new DeflateCompressor(6)
    expect(compressor.compress(random, new Uint8Array(299_999))).toBe(-1)
    expect(compressor.compress(random, new Uint8Array(310_000))).toBeGreaterThan(300_000)
  })

  it('sees that some of the places shrink', () => {
    const mixed = randomLikeBytes(1_000_000)
    mixed.set(textLikeBytes(300_000), 500_000)
    expect(looksIncompressible(mixed)).toBe(false)
  })
})

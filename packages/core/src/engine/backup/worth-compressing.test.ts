import { randomBytes } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { WorthCompressing } from './worth-compressing.js'

const mib = 2 ** 20
const output = new Uint8Array(2 * mib)
const text = (length: number) => Buffer.alloc(length, 'words that come again and again, and so shrink; ')

/** Counts the bytes that it is given. */
function counting() {
  const seen = { bytes: 0 }
  const compress = (input: Uint8Array, into: Uint8Array) => {
    seen.bytes += input.length
    const compressed = deflateRawSync(input)
    if (compressed.length > into.length) return -1
    into.set(compressed)
    return compressed.length
  }
  const decompress = () => expect.unreachable()
  return { seen, worth: new WorthCompressing({ compress, decompress }) }
}

/** Of random bytes, after some that did not shrink. */
function afterRandom() {
  const made = counting()
  expect(made.worth.compress(randomBytes(mib), output)).toBe(-1)
  made.seen.bytes = 0
  return made
}

describe('blobs in a row', () => {
  it('that do not shrink are sampled only', () => {
    const { seen, worth } = afterRandom()
    for (let n = 0; n < 10; n++) expect(worth.compress(randomBytes(mib), output)).toBe(-1)
    expect(seen.bytes).toBe(10 * 16 * 1024)
  })

  it('are compressed whole again from the first that shrinks', () => {
    const { seen, worth } = afterRandom()
    expect(worth.compress(text(mib), output)).toBeGreaterThan(0)
    expect(worth.compress(text(mib), output)).toBeGreaterThan(0)
    expect(seen.bytes).toBe(2 * mib + 16 * 1024)
  })

  it('shrink where only a part in the middle does', () => {
    const { worth } = afterRandom()
    const mixed = Buffer.concat([randomBytes(mib / 2), text(mib / 4), randomBytes(mib / 4)])
    const length = worth.compress(mixed, output)
    expect(length).toBeGreaterThan(mib / 2)
    expect(length).toBeLessThan(0.8 * mib)
  })

  it('shrink where they are small, without a sample', () => {
    const { seen, worth } = afterRandom()
    expect(worth.compress(text(1000), output)).toBeGreaterThan(0)
    expect(seen.bytes).toBe(1000)
  })

  it.each([1, 2, 20, 65_535, 65_536, 65_537])('of %d random bytes stay as they are', (length) => {
    expect(afterRandom().worth.compress(randomBytes(length), output)).toBe(-1)
  })

  it('that shrink by less than three hundredths stay as they are', () => {
    const { worth } = counting()
    expect(worth.compress(Buffer.concat([randomBytes(mib), text(mib / 50)]), output)).toBe(-1)
    expect(worth.compress(Buffer.concat([randomBytes(mib), text(mib / 10)]), output)).toBeGreaterThan(mib)
  })
})

import { createHash } from 'node:crypto'
import { randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { sha1Of } from './sha1.js'
import { sizeOfParts } from './uploads.js'

const megabyte = 1_000_000
const minimum = 5 * megabyte

describe('parts of a large file', () => {
  it.each([
    [300 * megabyte, 100 * megabyte],
    [300 * megabyte + 1, 100 * megabyte],
    [6 * megabyte, 100 * megabyte],
    [11 * megabyte, 1 * megabyte],
    [10_000_000 * megabyte, 100 * megabyte],
  ])('of %i bytes are two to 10,000, none but the last below 5 MB', (size, wanted) => {
    const partBytes = sizeOfParts(size, wanted, minimum)
    const count = Math.ceil(size / partBytes)
    expect(partBytes).toBeGreaterThanOrEqual(minimum)
    expect(count).toBeGreaterThanOrEqual(2)
    expect(count).toBeLessThanOrEqual(10_000)
  })

  it('are as large as wanted, where that is possible', () => {
    expect(sizeOfParts(300 * megabyte, 100 * megabyte, minimum)).toBe(100 * megabyte)
  })
})

describe('the SHA-1', () => {
  it('is that of all bytes, also of many', async () => {
    for (const size of [0, 1, 8 * 1_048_576, 20 * megabyte]) {
      const bytes = randomLikeBytes(size)
      expect(await sha1Of(bytes)).toBe(createHash('sha1').update(bytes).digest('hex'))
    }
  })

  it('is given up when the signal says so', async () => {
    const stopping = new AbortController()
    const hashing = sha1Of(new Uint8Array(30 * megabyte), stopping.signal)
    stopping.abort(new Error('enough'))
    await expect(hashing).rejects.toThrow('enough')
  })
})

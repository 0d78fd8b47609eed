import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareBytes } from './compare.js'

describe('the order of names', () => {
  it('is that of Buffer.compare', () => {
    // Few different bytes, so that many names share their beginning.
    const name = fc.uint8Array({ maxLength: 6, max: 2 })
    fc.assert(
      fc.property(fc.oneof(name, fc.uint8Array()), fc.oneof(name, fc.uint8Array()), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      }),
    )
  })
})

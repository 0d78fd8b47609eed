import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { padmeLength } from './padme.js'

describe('Padmé lengths', () => {
  it.each([
    [0, 0],
    [1, 1],
    [9, 10],
    [100, 104],
    [1000, 1024],
    [2 ** 20 - 1, 2 ** 20],
    [2 ** 20, 2 ** 20],
    [2 ** 20 + 1, 2 ** 20 + 2 ** 15],
    [2 ** 26 - 1, 2 ** 26],
  ])('of %i is %i', (length, padded) => {
    expect(padmeLength(length)).toBe(padded)
  })

  it('are at most 12% more, and padding them again changes nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2 ** 30 }), (length) => {
        const padded = padmeLength(length)
        expect(padded).toBeGreaterThanOrEqual(length)
        expect(padded).toBeLessThanOrEqual(Math.ceil(length * 1.12))
        expect(padmeLength(padded)).toBe(padded)
      }),
    )
  })

  it('are few: all packs up to 64 MiB have about a thousand of them', () => {
    const lengths = new Set(Array.from({ length: 2 ** 16 }, (_, n) => padmeLength((n + 1) * 1024)))
    expect(lengths.size).toBeLessThan(1000)
  })
})

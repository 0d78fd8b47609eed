import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseRate, parseSize } from './size.js'

describe('a size', () => {
  it.each([
    ['0', 0],
    ['500', 500],
    ['1K', 1024],
    ['1.5k', 1536],
    ['100M', 100 * 1024 ** 2],
    ['2GiB', 2 * 1024 ** 3],
    ['1TB', 1024 ** 4],
  ])('%s is %i bytes', (text, size) => expect(parseSize(text)).toBe(size))

  it.each(['', 'M', '-1', '1X', '1 M', '1e3', '99999999999T'])('is not %j', (text) => {
    expect(parseSize(text)).toBeUndefined()
  })

  it('is a number of whole bytes or none, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const size = parseSize(text)
        expect(size === undefined || Number.isSafeInteger(size)).toBe(true)
      }),
    )
  })
})

describe('a rate', () => {
  it.each([
    ['5M', 5 * 1024 ** 2],
    ['5MiB/s', 5 * 1024 ** 2],
    ['100', 100],
    ['unlimited', Number.POSITIVE_INFINITY],
    ['0', undefined],
    ['fast', undefined],
    ['-1', undefined],
  ])('%s is %s bytes per second', (text, rate) => expect(parseRate(text)).toBe(rate))
})

import { describe, expect, it } from 'vitest'
import { rangeWithin } from './range.js'

describe('rangeWithin', () => {
  it.each([
    [{}, { offset: 0, length: 10 }],
    [{ offset: 4 }, { offset: 4, length: 6 }],
    [
      { offset: 4, length: 6 },
      { offset: 4, length: 6 },
    ],
    [{ offset: 10 }, { offset: 10, length: 0 }],
    [
      { offset: 10, length: 0 },
      { offset: 10, length: 0 },
    ],
    [{ length: 0 }, { offset: 0, length: 0 }],
  ])('of ten bytes makes %o whole', (asked, range) => expect(rangeWithin('key', 10, asked)).toEqual(range))

  it.each([{ offset: 11 }, { offset: 11, length: 0 }, { offset: 4, length: 7 }, { offset: -1 }, { length: -1 }])(
    'refuses %o',
    (asked) => expect(() => rangeWithin('key', 10, asked)).toThrow(expect.objectContaining({ code: 'range-invalid' })),
  )
})

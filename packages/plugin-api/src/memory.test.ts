import { describe, expect, it } from 'vitest'
import { copyInto } from './memory.js'

const bytes = Uint8Array.from({ length: 10_000 }, (_, n) => n * 7)

describe.each([
  ['plain', (length: number) => new ArrayBuffer(length)],
  ['shared', (length: number) => new SharedArrayBuffer(length)],
])('copyInto %s memory', (_, allocate) => {
  const memoryOf = (length: number) => new Uint8Array(allocate(length + 20), 10, length)

  it.each([0, 1, 7, 4096, 9_999, 10_000])('puts %i bytes to their place, and touches nothing else', (count) => {
    for (const at of [0, 1, 13]) {
      const memory = memoryOf(count + 20)
      new Uint8Array(memory.buffer).fill(255)
      copyInto(memory, bytes.subarray(3, 3 + count), at)
      const expected = new Uint8Array(count + 40).fill(255)
      expected.set(bytes.subarray(3, 3 + count), 10 + at)
      expect(Buffer.from(memory.buffer).equals(expected)).toBe(true)
    }
  })

  it.each([
    [11, 0],
    [10, 1],
    [1, -1],
    [1, 11],
  ])('refuses %i bytes at %i of ten', (count, at) => {
    const memory = memoryOf(10)
    expect(() => copyInto(memory, bytes.subarray(1, 1 + count), at)).toThrow(RangeError)
    expect(memory.every((byte) => byte === 0)).toBe(true)
  })

  it('moves bytes within the memory', () => {
    const memory = memoryOf(100)
    copyInto(memory, bytes.subarray(0, 100))
    copyInto(memory, memory.subarray(0, 90), 5)
    expect(Buffer.from(memory.subarray(5, 95)).equals(bytes.subarray(0, 90))).toBe(true)
  })
})

import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it, vi } from 'vitest'
import { type ByteSpan, readSpans, spansOf } from './pack-spans.js'

describe('spansOf', () => {
  it.each<[string, ByteSpan[], ByteSpan[]]>([
    ['nothing', [], [{ offset: 0, length: 128 }]],
    ['what is near the header', [{ offset: 128, length: 50 }], [{ offset: 0, length: 178 }]],
    [
      'neighbours, and what lies far away',
      [
        { offset: 2_000_000, length: 50 },
        { offset: 2_200_000, length: 50 },
        { offset: 9_000_000, length: 50 },
      ],
      [
        { offset: 0, length: 128 },
        { offset: 2_000_000, length: 200_050 },
        { offset: 9_000_000, length: 50 },
      ],
    ],
    [
      'a blob that is needed twice',
      [
        { offset: 128, length: 900 },
        { offset: 128, length: 900 },
      ],
      [{ offset: 0, length: 1028 }],
    ],
  ])('joins %s', (_, blobs, spans) => {
    const table = {
      offsetOf: (entry: number) => (blobs[entry] as ByteSpan).offset,
      sealedLengthOf: (entry: number) => (blobs[entry] as ByteSpan).length,
    }
    expect(spansOf(Uint32Array.from(blobs.keys()), table)).toEqual(spans)
  })
})

describe('readSpans', () => {
  const pack = Uint8Array.from({ length: 1000 }, (_, n) => n)
  const storage = () => new InMemoryStorage({ objects: new Map([['pack', pack]]) })

  it('reads the spans to their places, and nothing else', async () => {
    const into = new Uint8Array(1000)
    await readSpans(storage(), 'pack', spansAt(0, 500), into)
    const expected = new Uint8Array(1000)
    for (const { offset, length } of spansAt(0, 500)) expected.set(pack.subarray(offset, offset + length), offset)
    expect(into).toEqual(expected)
  })

  it('reads the whole pack at once where more than half of it is needed', async () => {
    const whole = storage()
    const get = vi.spyOn(whole, 'get')
    const into = new Uint8Array(1000)
    await readSpans(whole, 'pack', spansAt(0, 200, 400, 600, 800, 900), into)
    expect(into).toEqual(pack)
    expect(get).toHaveBeenCalledTimes(1)
  })

  it('waits for what is still being read when one fails', async () => {
    let isReading = false
    const failing = storage()
    vi.spyOn(failing, 'get').mockImplementation(async (_, { offset = 0, into } = {}) => {
      if (offset === 0) throw new Error('broken')
      isReading = true
      await new Promise((resolve) => setTimeout(resolve, 30))
      isReading = false
      return into as Uint8Array
    })
    await expect(readSpans(failing, 'pack', spansAt(0, 500), new Uint8Array(1000))).rejects.toThrow('broken')
    expect(isReading).toBe(false)
  })

  const spansAt = (...offsets: number[]) => offsets.map((offset) => ({ offset, length: 100 }))
})

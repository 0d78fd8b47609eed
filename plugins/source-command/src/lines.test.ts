import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lines } from './lines.js'

function linesOf(pieces: readonly Uint8Array[]): string[] {
  const found: string[] = []
  const lines = new Lines((line) => found.push(line))
  for (const piece of pieces) lines.push(Buffer.from(piece))
  lines.end()
  return found
}

describe('Lines', () => {
  it('cuts at line feeds and carriage returns, and leaves out what is empty', () => {
    expect(linesOf([Buffer.from('one\ntwo\r\n\n10 %\r20 %\rlast')])).toEqual(['one', 'two', '10 %', '20 %', 'last'])
  })

  it('gives the same lines however the bytes arrive', () => {
    const bytes = Buffer.from('naïve\nzweite Zeile ☃\r\n😀 ende')
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 10 })
    fc.assert(
      fc.property(cuts, (places) => {
        const ends = [...places, bytes.length].sort((a, b) => a - b)
        const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
        expect(linesOf(pieces)).toEqual(['naïve', 'zweite Zeile ☃', '😀 ende'])
      }),
    )
  })

  it('does not hold a line that never ends', () => {
    const lines = linesOf(Array.from({ length: 10 }, () => Buffer.alloc(5000, 'x')))
    expect(lines.length).toBe(5)
    expect(lines.every((line) => line.length <= 8192)).toBe(true)
  })
})

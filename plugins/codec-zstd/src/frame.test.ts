import { expectPortError } from '@bkp/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkFrame } from './frame.js'

const magic = '28b52ffd'
const rawBlock = '190000616263'
const frame = (hex: string) => Buffer.from(hex, 'hex')

describe('checkFrame', () => {
  it.each([
    { name: 'one byte, in a single segment', header: '2003', size: 3 },
    { name: 'two bytes, counted from 256', header: '60e803', size: 1256 },
    { name: 'four bytes', header: 'a003000001', size: 0x01000003 },
    { name: 'eight bytes', header: 'e00300000001000000', size: 0x1_0000_0003 },
    { name: 'no bytes, after a window', header: '0058', size: undefined },
    { name: 'two bytes, after a window', header: '405800ff', size: 0xff00 + 256 },
  ])('reads a content size of $name', ({ header, size }) => {
    expect(checkFrame(frame(magic + header + rawBlock))).toBe(size)
  })

  it('walks over several blocks and a checksum', () => {
    const first = '180000616263'
    const runLength = '830f0061'
    expect(checkFrame(frame(`${magic}24ff${first}${runLength}00112233`))).toBe(255)
  })

  it.each([
    { name: 'another magic number', hex: `29b52ffd2003${rawBlock}` },
    { name: 'a skippable frame', hex: '502a4d180300000061626300' },
    { name: 'a dictionary', hex: `${magic}210703${rawBlock}` },
    { name: 'a reserved bit', hex: `${magic}2803${rawBlock}` },
    { name: 'a reserved kind of block', hex: `${magic}20031f0000616263` },
    { name: 'a second frame', hex: `${magic}2003${rawBlock}${magic}2003${rawBlock}` },
    { name: 'a byte behind the frame', hex: `${magic}2003${rawBlock}00` },
    { name: 'a missing checksum', hex: `${magic}2403${rawBlock}` },
    { name: 'a missing last block', hex: `${magic}2003180000616263` },
  ])('refuses $name', ({ hex }) => {
    expectPortError('corrupt', () => checkFrame(frame(hex)))
  })

  it('ends with a size or with corrupt, whatever follows the magic number', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const input = Buffer.concat([frame(magic), bytes])
        let size: number | undefined
        try {
          size = checkFrame(input)
        } catch (error) {
          return (error as { code?: unknown }).code === 'corrupt'
        }
        return size === undefined || size >= 0
      }),
    )
  })
})

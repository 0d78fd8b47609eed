import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, counted, duration, jsonPath, quoted, safe, safeLines } from './text.js'

describe('safe', () => {
  it('shows what would move the cursor, change colours or turn the direction of writing', () => {
    expect(safe('a\u001b[31mb\rc\nd')).toBe('a\\x1b[31mb\\x0dc\\x0ad')
    expect(safe('x\u009b2Jy\u007f')).toBe('x\\x9b2Jy\\x7f')
    expect(safe('invoice\u202egpj.exe')).toBe('invoice\\u202egpj.exe')
  })

  it('leaves every other script alone', () => {
    for (const text of ['Müller', '写真', 'Ελλάδα', 'تقرير', '👩‍🚀.png']) expect(safe(text)).toBe(text)
  })

  it('lets no control character through, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        expect(safe(text)).not.toMatch(/\p{Cc}/u)
        expect(safeLines(text).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})

describe('quoted', () => {
  it('leaves plain paths alone and quotes the rest for a shell', () => {
    expect(quoted('/mnt/disk-1/backup')).toBe('/mnt/disk-1/backup')
    expect(quoted("/mnt/Ann's disk")).toBe("'/mnt/Ann'\\''s disk'")
    expect(quoted('$(rm -rf x)')).toBe("'$(rm -rf x)'")
  })
})

describe('numbers for people', () => {
  it('count in binary units', () => {
    expect(bytes(0)).toBe('0 B')
    expect(bytes(1536)).toBe('1.5 KiB')
  })

  it.each([
    [0, '0.0 s'],
    [9949, '9.9 s'],
    [9960, '10 s'],
    [59_600, '1 min 0 s'],
    [125_000, '2 min 5 s'],
    [3_599_900, '1 h 0 min'],
    [7_320_000, '2 h 2 min'],
  ])('show %i ms as %s', (ms, text) => expect(duration(ms)).toBe(text))

  it('have a singular', () => {
    expect([counted(1, 'file'), counted(2, 'file'), counted(0, 'file')]).toEqual(['1 file', '2 files', '0 files'])
  })
})

describe('a path in JSON', () => {
  it('gives back the very bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (raw) => {
        const { path, pathBase64 } = jsonPath({ text: Buffer.from(raw).toString(), bytes: raw })
        const back = pathBase64 === undefined ? Buffer.from(path) : Buffer.from(pathBase64, 'base64')
        expect(back.equals(raw)).toBe(true)
      }),
    )
  })
})

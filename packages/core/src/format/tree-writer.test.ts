import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeEntry, sourceEntry, treeBlobs } from './testing/entries.js'
import { TreeCursor } from './tree-cursor.js'
import { EntryEncoder, TreeWriter } from './tree-writer.js'

const refusal = expect.objectContaining({ code: 'plugin-failed' })

function namesIn(blobs: readonly Uint8Array[]): string[] {
  return blobs.flatMap((blob) => {
    const cursor = new TreeCursor(blob)
    const names: string[] = []
    while (cursor.next()) names.push(Buffer.from(cursor.name).toString())
    return names
  })
}

const numbered = (count: number) => Array.from({ length: count }, (_, n) => `file-${String(n).padStart(6, '0')}.txt`)

describe('the encoder of entries', () => {
  it.each([
    ['an empty name', sourceEntry('')],
    ['the name .', sourceEntry('.')],
    ['the name ..', sourceEntry('..')],
    ['a name with a slash', sourceEntry('a/b')],
    ['a name with a NUL', sourceEntry('a\0b')],
    ['a name too long for its length field', sourceEntry('a'.repeat(65_536))],
    ['a negative size', sourceEntry('a', { sizeBytes: -1 })],
    ['a size that JavaScript cannot count', sourceEntry('a', { sizeBytes: 2 ** 53 })],
    ['a time of too many nanoseconds', sourceEntry('a', { mtimeNanoseconds: 1_000_000_000 })],
    ['a time that is no number', sourceEntry('a', { ctimeSeconds: Number.NaN })],
    ['a mode with the bits of a file type', sourceEntry('a', { mode: 0o100644 })],
  ])('refuses %s, which no reader would take', (_what, entry) => {
    const encoder = new EntryEncoder()
    expect(() => encoder.add(entry, {}, {})).toThrow(refusal)
    expect(encoder).toHaveLength(0)
  })

  it('refuses an illegal name also for what could not be examined', () => {
    expect(() => new EntryEncoder().addError(Buffer.from('..'), 'EACCES')).toThrow(refusal)
  })

  it.each([
    [
      'overlap',
      [
        { offset: 0, length: 10 },
        { offset: 9, length: 1 },
      ],
    ],
    ['are empty', [{ offset: 0, length: 0 }]],
    [
      'descend',
      [
        { offset: 10, length: 1 },
        { offset: 0, length: 1 },
      ],
    ],
    ['end beyond what can be counted', [{ offset: 2 ** 52, length: 2 ** 52 }]],
  ])('refuses extents that %s', (_what, extents) => {
    expect(() => encodeEntry(sourceEntry('a'), { extents })).toThrow(refusal)
  })

  it('refuses an entry that no blob can hold, and stays usable', () => {
    const encoder = new EntryEncoder()
    encoder.add(sourceEntry('before'), {}, {})
    const length = encoder.length
    const huge = { name: Buffer.from('user.huge'), value: new Uint8Array(16 * 1024 * 1024) }
    expect(() => encoder.add(sourceEntry('huge'), { xattrs: [huge] }, {})).toThrow('The entry of "huge" takes 16777')
    expect(encoder.length).toBe(length)
    encoder.add(sourceEntry('small'), {}, {})
    expect(namesIn(treeBlobs([encoder.view(0).slice(0, length), encoder.view(length).slice()]))).toEqual([
      'before',
      'small',
    ])
  })

  it('gives hard link fields only to what has several names and is no directory', () => {
    const fieldOf = (entry: Uint8Array) => {
      const cursor = new TreeCursor(treeBlobs([entry])[0] as Uint8Array)
      cursor.next()
      return cursor.hardLink
    }
    expect(fieldOf(encodeEntry(sourceEntry('a', { linkCount: 2 })))).toEqual({ device: 1n, links: 2 })
    expect(fieldOf(encodeEntry(sourceEntry('a')))).toBeUndefined()
    expect(fieldOf(encodeEntry(sourceEntry('a', { kind: 'directory', linkCount: 9 })))).toBeUndefined()
  })
})

describe('the writer of trees', () => {
  it('writes a directory without entries as one blob', () => {
    expect(namesIn(treeBlobs([]))).toEqual([])
    expect(treeBlobs([])).toHaveLength(1)
  })

  it('refuses a name that comes twice or out of order', () => {
    for (const [first, second] of [
      ['a', 'a'],
      ['b', 'a'],
      ['a\u00e9', 'ab'],
    ] as const) {
      expect(() => treeBlobs([encodeEntry(sourceEntry(first)), encodeEntry(sourceEntry(second))])).toThrow(refusal)
    }
  })

  it('refuses a name out of order also where a new blob begins', () => {
    const blobs: Uint8Array[] = []
    const writer = new TreeWriter((blob) => blobs.push(blob.slice()))
    const content = { ids: new Uint8Array(32 * 1024) }
    for (const name of numbered(10_000)) {
      writer.add(encodeEntry(sourceEntry(name), content))
      if (blobs.length > 0) break
    }
    expect(blobs).toHaveLength(1)
    expect(() => writer.add(encodeEntry(sourceEntry('a')))).toThrow(refusal)
  })

  it('splits a large directory and keeps every entry once and in order', () => {
    const names = numbered(20_000)
    const blobs = treeBlobs(names.map((name) => encodeEntry(sourceEntry(name))))
    expect(blobs.length).toBeGreaterThan(3)
    expect(Math.max(...blobs.map((blob) => blob.length))).toBeLessThanOrEqual(8 * 1024 * 1024)
    expect(namesIn(blobs)).toEqual(names)
  })

  it('leaves nearly all blobs of a large directory as they were when one entry comes to it', () => {
    const encoded = numbered(20_000).map((name) => encodeEntry(sourceEntry(name)))
    const more = [...encoded.slice(0, 9000), encodeEntry(sourceEntry('file-008999.txu')), ...encoded.slice(9000)]
    const before = new Set(treeBlobs(encoded).map((blob) => Buffer.from(blob).toString('base64')))
    const fresh = treeBlobs(more).filter((blob) => !before.has(Buffer.from(blob).toString('base64')))
    expect(fresh).toHaveLength(1)
  })

  it('never makes a blob larger than a blob may be, also of the largest entries', () => {
    const value = new Uint8Array(7 * 1024 * 1024)
    const encoder = new EntryEncoder()
    const sizes: number[] = []
    const writer = new TreeWriter((blob) => sizes.push(blob.length))
    for (const name of ['a', 'b', 'c']) {
      encoder.clear()
      encoder.add(sourceEntry(name), { xattrs: [{ name: Buffer.from('user.large'), value }] }, {})
      writer.add(encoder.view())
    }
    writer.finish(true)
    expect(sizes).toHaveLength(3)
    expect(Math.max(...sizes)).toBeLessThan(8 * 1024 * 1024)
  })

  it('gives back all that entries say, whatever they say', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 })
    const name = fc
      .uint8Array({ minLength: 1, maxLength: 60 })
      .map((raw) => raw.map((byte) => (byte === 0 || byte === 0x2f ? 1 : byte)))
    const seconds = fc.integer({ min: -(2 ** 40), max: 2 ** 40 })
    const nanoseconds = fc.nat(999_999_999)
    const u32 = fc.nat(0xffffffff)
    fc.assert(
      fc.property(
        fc.record({
          name: name.filter((raw) => !/^\.\.?$/.test(Buffer.from(raw).toString())),
          mode: fc.nat(0o7777),
          uid: u32,
          gid: u32,
          mtimeSeconds: seconds,
          mtimeNanoseconds: nanoseconds,
          ctimeSeconds: seconds,
          ctimeNanoseconds: nanoseconds,
          sizeBytes: fc.maxSafeNat(),
          inode: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        }),
        fc.record({ userName: text, groupName: text, linkTarget: bytes }, { requiredKeys: [] }),
        fc.array(fc.record({ name: bytes, value: fc.uint8Array({ maxLength: 40 }) }), { maxLength: 3 }),
        (fields, details, xattrs) => {
          const encoder = new EntryEncoder()
          encoder.add(sourceEntry(fields.name, fields), { ...details, xattrs }, {})
          const cursor = new TreeCursor(treeBlobs([encoder.view()])[0] as Uint8Array)
          expect(cursor.next()).toBe(true)
          for (const [key, value] of Object.entries(fields)) expect(cursor[key as keyof TreeCursor]).toEqual(value)
          expect(cursor.userName).toBe(details.userName)
          expect(cursor.groupName).toBe(details.groupName)
          expect(cursor.linkTarget).toEqual(details.linkTarget)
          const sorted = [...xattrs].sort((a, b) => Buffer.compare(a.name, b.name))
          expect(cursor.xattrs ?? []).toEqual(sorted)
          expect(cursor.encoded).toEqual(encoder.view())
          expect(cursor.next()).toBe(false)
        },
      ),
    )
  })
})

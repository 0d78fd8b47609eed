import type { FileReader, SourceEntry } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { GuardedBytes } from '../support/samples.js'
import { pathOf, type SourceUnderTest } from './describe-source.js'

export function describeFiles({ options, withSource }: SourceUnderTest): void {
  describe('files', () => {
    it('have an entry that makes sense', () =>
      withSource(async (source, { files }) => {
        expect(files.length).toBeGreaterThan(0)
        for (const { path, content } of files) {
          const entry = await source.inspect(pathOf(path))
          expect(entry.kind).toBe('file')
          expect(Buffer.from(entry.name).toString()).toBe(path.slice(path.lastIndexOf('/') + 1))
          expect(entry.sizeBytes).toBe(options.sizes === 'known' ? content.length : 0)
          expectSound(entry)
        }
      }))

    it('have details without problems', () =>
      withSource(async (source, { files }) => {
        for (const { path } of files) {
          const details = await source.describe(pathOf(path), await source.inspect(pathOf(path)))
          expect(details.problems ?? []).toEqual([])
          expect(details.linkTarget).toBeUndefined()
        }
      }))

    // Readers may give less than asked: small, odd and large pieces must make the same content.
    it.each([1021, 65_536, 4_194_304])('are read to their end in pieces of at most %i bytes', (pieceBytes) =>
      withSource(async (source, { files }) => {
        for (const { path, content } of files) {
          const reader = await source.openFile(pathOf(path), await source.inspect(pathOf(path)))
          expect(reader.sizeBytes).toBe(options.sizes === 'known' ? content.length : 0)
          expect(Buffer.compare(await readToEnd(reader, pieceBytes), dataOf(reader, content))).toBe(0)
          expect(await reader.read(new Uint8Array(10))).toBe(0)
          expect(await reader.close()).toBe('stable')
        }
      }),
    )

    it('can be closed before anything was read', () =>
      withSource(async (source, { files: [file] }) => {
        const path = pathOf(file?.path ?? '')
        const reader = await source.openFile(path, await source.inspect(path))
        expect(['stable', 'changed']).toContain(await reader.close())
      }))

    it('can be closed in the middle', () =>
      withSource(async (source, { files }) => {
        const largest = files.reduce((one, other) => (other.content.length > one.content.length ? other : one))
        const path = pathOf(largest.path)
        const reader = await source.openFile(path, await source.inspect(path))
        expect(await reader.read(new Uint8Array(1))).toBe(1)
        expect(['stable', 'changed']).toContain(await reader.close())
      }))
  })

  if (options.ranges === 'none') return
  describe('ranges of files', () => {
    it('give these bytes and no others', () =>
      withSource(async (source, { files }) => {
        for (const { path, content } of files) {
          const entry = await source.inspect(pathOf(path))
          const half = content.length >> 1
          for (const range of [
            { offset: 0, length: half },
            { offset: half, length: content.length - half },
          ].filter(({ length }) => length > 0)) {
            const reader = await source.openFile(pathOf(path), entry, range)
            const expected = content.subarray(range.offset, range.offset + range.length)
            expect(Buffer.compare(await readToEnd(reader, 50_000), expected)).toBe(0)
            expect(await reader.close()).toBe('stable')
          }
        }
      }))
  })
}

/** Numbers within what the repository's format can hold. */
export function expectSound(entry: SourceEntry): void {
  expect(entry.mode & ~0o7777).toBe(0)
  for (const seconds of [entry.mtimeSeconds, entry.ctimeSeconds]) expect(Number.isSafeInteger(seconds)).toBe(true)
  for (const nanoseconds of [entry.mtimeNanoseconds, entry.ctimeNanoseconds]) {
    expect(Number.isInteger(nanoseconds) && nanoseconds >= 0 && nanoseconds < 1_000_000_000).toBe(true)
  }
  for (const id of [entry.uid, entry.gid, entry.deviceMajor, entry.deviceMinor]) {
    expect(Number.isInteger(id) && id >= 0 && id <= 0xffffffff).toBe(true)
  }
  expect(entry.linkCount).toBeGreaterThanOrEqual(1)
}

/** Reads until 0, and looks at the memory around what was handed out. */
export async function readToEnd(reader: FileReader, pieceBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (;;) {
    const into = new GuardedBytes(pieceBytes)
    const count = await reader.read(into.middle)
    expect(count).toBeLessThanOrEqual(pieceBytes)
    expect(into.isIntact).toBe(true)
    if (count === 0) return Buffer.concat(pieces)
    pieces.push(into.middle.subarray(0, count))
  }
}

/** What a reader gives of a file: its extents if it has holes, which must be in order and hold everything but zeros. */
function dataOf({ extents }: FileReader, content: Uint8Array): Uint8Array {
  if (extents === undefined) return content
  const rest = Uint8Array.from(content)
  let end = 0
  for (const { offset, length } of extents) {
    expect(offset).toBeGreaterThanOrEqual(end)
    expect(length).toBeGreaterThan(0)
    end = offset + length
    rest.fill(0, offset, end)
  }
  expect(end).toBeLessThanOrEqual(content.length)
  expect(rest.every((byte) => byte === 0)).toBe(true)
  return Buffer.concat(extents.map(({ offset, length }) => content.subarray(offset, offset + length)))
}

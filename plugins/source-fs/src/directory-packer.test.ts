import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { PackedListing } from '@bkp/plugin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DirectoryPacker } from './directory-packer.js'
import { type Libc, loadLibc } from './libc.js'
import { NativeDirectories } from './native-directory.js'

const libc = loadLibc()

describe.runIf(libc !== undefined)('a packed listing', () => {
  const native = libc as Libc
  let folder: string
  let packer: DirectoryPacker
  const place = (name: string) => join(folder, name)

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-packer-'))
    packer = new DirectoryPacker(native)
    writeFileSync(place('file'), 'content')
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0x66, 0xff, 0xfe, 0x80])]), '')
    mkdirSync(place('folder'))
    symlinkSync('nowhere', place('link'))
    utimesSync(place('file'), 1, -1.5)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function open<T>(action: (descriptor: number) => T): T {
    const descriptor = openSync(folder, 'r')
    try {
      return action(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  function pack(): PackedListing {
    const listing = open((descriptor) => packer.pack(descriptor))
    if (listing === undefined) throw new Error('The folder could not be packed')
    return listing
  }

  function bytesAfter(change: () => void): { readonly before: Buffer; readonly after: Buffer } {
    const before = Buffer.from(pack().bytes)
    change()
    return { before, after: Buffer.from(pack().bytes) }
  }

  it('has the entries that a list has', () => {
    const listed = open((descriptor) => new NativeDirectories(native).list(descriptor))
    expect(pack().entries()).toEqual(listed)
    expect(listed).toHaveLength(4)
  })

  it('names the directories, and the latest change of all entries', () => {
    const { directories, newestCtimeSeconds } = pack()
    expect(directories.map(({ name, device }) => [Buffer.from(name).toString(), device])).toEqual([
      ['folder', statSync(folder, { bigint: true }).dev],
    ])
    expect(newestCtimeSeconds).toBeCloseTo(statSync(place('file')).ctimeMs / 1000, 2)
  })

  it('has the same bytes as long as nothing changes', () => {
    const { before, after } = bytesAfter(() => undefined)
    expect(after.equals(before)).toBe(true)
  })

  it.each<readonly [string, () => void]>([
    ['a file grows', () => appendFileSync(place('file'), 'more')],
    ['content changes with size and mtime kept', () => rewrite(place('file'))],
    ['a mode changes', () => chmodSync(place('file'), 0o600)],
    ['something is renamed', () => renameSync(place('file'), place('elif'))],
    ['something is added', () => writeFileSync(place('new'), '')],
    ['something is removed', () => rmSync(place('link'))],
    ['something is put into a folder in it', () => writeFileSync(place('folder/inside'), '')],
  ])('has other bytes when %s', (_, change) => {
    const { before, after } = bytesAfter(change)
    expect(after.equals(before)).toBe(false)
  })

  it('may be larger than the memory that listings share', () => {
    for (let n = 0; n < 6_000; n++) writeFileSync(place(`${'n'.repeat(150)}${n}`), '')
    const first = pack()
    const second = pack()
    expect(first.entries()).toHaveLength(6_004)
    expect(Buffer.from(first.bytes).equals(second.bytes)).toBe(true)
  })

  it('gives entries that take little memory along when they are sent to another thread', () => {
    for (const { name } of pack().entries()) expect(name.buffer.byteLength).toBeLessThanOrEqual(4096)
  })

  it('is not made when something cannot be examined, and the list then begins at its beginning', () => {
    let calls = 0
    const failing: Libc = { ...native, statx: (...args) => (++calls === 3 ? -1 : native.statx(...args)) }
    const { listing, listed } = open((descriptor) => ({
      listing: new DirectoryPacker(failing).pack(descriptor),
      listed: new NativeDirectories(native).list(descriptor),
    }))
    expect(listing).toBeUndefined()
    expect(listed).toHaveLength(4)
  })
})

function rewrite(path: string): void {
  writeFileSync(path, 'CONTENT')
  utimesSync(path, 1, -1.5)
}

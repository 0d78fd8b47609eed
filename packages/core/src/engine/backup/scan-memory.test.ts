import type { PackedListing, SourceEntry } from '@bkp/plugin-api'
import { beforeAll, describe, expect, it } from 'vitest'
import { type EntryContent, EntryEncoder } from '../../format/tree-writer.js'
import { createKeyedHasher, type KeyedHasher } from '../../hash/keyed-hasher.js'
import { ScanMemory } from './scan-memory.js'
import { KnownScans } from './scan-records.js'

const text = (value: string) => new Uint8Array(Buffer.from(value))
const path = text('/home/ann')
const tree = new Uint8Array(64).fill(7)
const childTree = new Uint8Array(32).fill(9)
const began = 1_000
let hasher: KeyedHasher

beforeAll(async () => {
  hasher = await createKeyedHasher(new Uint8Array(32).fill(1))
})

function entry(kind: SourceEntry['kind'], name: string, sizeBytes = 0): SourceEntry {
  return {
    kind,
    name: text(name),
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeSeconds: 1,
    mtimeNanoseconds: 2,
    ctimeSeconds: 3,
    ctimeNanoseconds: 4,
    sizeBytes,
    inode: 5n,
    device: 6n,
    linkCount: 1,
    deviceMajor: 0,
    deviceMinor: 0,
  }
}

const content = { ids: new Uint8Array(32).fill(3) }

function encoded(...entries: readonly (readonly [SourceEntry, EntryContent])[]): Uint8Array[] {
  const encoder = new EntryEncoder()
  for (const [what, holds] of entries) encoder.add(what, {}, holds)
  return [encoder.view().slice()]
}

const whole = encoded(
  [entry('directory', 'd'), { tree: childTree }],
  [entry('file', 'f', 2 ** 33 + 5), content],
  [entry('file', 'g', 10), content],
  [entry('symlink', 'l'), {}],
)

function listing(bytes = 'listing', newestCtimeSeconds = 500): PackedListing {
  return {
    bytes: text(bytes),
    newestCtimeSeconds,
    directories: [
      { name: text('excluded'), device: 1n },
      { name: text('d'), device: 1n },
    ],
    entries: () => [],
  }
}

function remembered(
  pieces = whole,
  { count = 4, what = listing() }: { count?: number; what?: PackedListing } = {},
): ScanMemory {
  const first = new ScanMemory({ key: new Uint8Array(32), known: undefined, rememberBefore: began }, hasher)
  first.add(path, what, count, pieces, tree)
  return new ScanMemory({ key: new Uint8Array(32), known: first.take(), rememberBefore: began }, hasher)
}

describe('a directory that was scanned', () => {
  it('is found again by its path and its listing', () => {
    expect(remembered().find(path, listing(), tree, began)).toMatchObject({
      files: 2,
      others: 1,
      bytes: 2 ** 33 + 15,
      tree,
      children: [{ index: 1, tree: childTree }],
    })
  })

  it.each<readonly [string, () => unknown]>([
    ['another listing', () => remembered().find(path, listing('Listing'), tree, began)],
    ['another path', () => remembered().find(text('/home/eve'), listing(), tree, began)],
    ['another tree in the parent snapshot', () => remembered().find(path, listing(), tree.slice(32), began)],
    ['none in the parent snapshot', () => remembered().find(path, listing(), new Uint8Array(0), began)],
    ['a change at or after the time of the parent', () => remembered().find(path, listing(), tree, 500)],
  ])('is not found with %s', (_, find) => {
    expect(find()).toBeUndefined()
  })

  it.each<readonly [string, () => ScanMemory]>([
    ['something changed within the tick of the clock', () => remembered(whole, { what: listing('listing', began) })],
    ['something was left out of the snapshot', () => remembered(whole, { count: 5 })],
    ['a file could not be read', () => remembered(encoded([entry('file', 'f'), { error: 'EIO' }]), { count: 1 })],
    [
      'a file changed while it was read',
      () => remembered(encoded([entry('file', 'f', 1), { ...content, changed: true }]), { count: 1 }),
    ],
    [
      'a folder could not be read',
      () => remembered(encoded([entry('directory', 'd'), { error: 'EACCES' }]), { count: 1 }),
    ],
  ])('is not remembered when %s', (_, remember) => {
    expect(remember().find(path, listing(), tree, began * 2)).toBeUndefined()
    expect(remember().find(path, listing('listing', began), tree, began * 2)).toBeUndefined()
  })

  it('is handed on from run to run as long as it is as it was', () => {
    const second = remembered()
    const found = second.find(path, listing(), tree, began)
    if (found !== undefined) second.keep(found)
    const third = new ScanMemory({ key: new Uint8Array(32), known: second.take(), rememberBefore: began }, hasher)
    expect(third.find(path, listing(), tree, began)).toEqual(found)
    expect(found).toBeDefined()
  })
})

describe('scan records', () => {
  it('are found among many', () => {
    const memory = new ScanMemory({ key: new Uint8Array(32), known: undefined, rememberBefore: began }, hasher)
    for (let n = 0; n < 5_000; n++) memory.add(path, listing(`listing ${n}`), 4, whole, tree)
    const later = new ScanMemory({ key: new Uint8Array(32), known: memory.take(), rememberBefore: began }, hasher)
    for (let n = 0; n < 5_000; n++) expect(later.find(path, listing(`listing ${n}`), tree, began)?.files).toBe(2)
    expect(later.find(path, listing('listing 5000'), tree, began)).toBeUndefined()
  })

  it('that are cut short are refused', () => {
    const first = new ScanMemory({ key: new Uint8Array(32), known: undefined, rememberBefore: began }, hasher)
    first.add(path, listing(), 4, whole, tree)
    const bytes = first.take()
    for (let length = 4; length < bytes.length; length += 4)
      expect(() => new KnownScans(bytes.slice(0, length))).toThrow(RangeError)
    expect(() => new KnownScans(new Uint8Array(64))).toThrow(RangeError)
  })
})

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { damagedCopies, outcomeOf } from './testing/damage.js'
import { encodeEntry, sourceEntry, treeBlobs } from './testing/entries.js'
import { bytesOf, vectors } from './testing/vectors.js'
import { TreeCursor } from './tree-cursor.js'

const tree = bytesOf(vectors.tree)
// Where the one entry of a tree has its parts.
const kindAt = 12
const nameAt = kindAt + 56

function readAll(bytes: Uint8Array): number {
  const cursor = new TreeCursor(bytes)
  let count = 0
  while (cursor.next()) {
    const { kind, name, encoded, mode, uid, gid, sizeBytes, inode, userName, groupName, error, linkTarget } = cursor
    const { tree: below, content, extents, deviceNumbers, hardLink, xattrs, changedWhileRead, mtimeSeconds } = cursor
    const read = [kind, name, encoded, mode, uid, gid, sizeBytes, inode, userName, groupName, error, linkTarget, below]
    count +=
      [...read, content, extents, deviceNumbers, hardLink, xattrs, changedWhileRead, mtimeSeconds].length > 0 ? 1 : 0
  }
  return count
}

function one(change: (bytes: Uint8Array, view: DataView) => void): Uint8Array {
  const bytes = treeBlobs([encodeEntry(sourceEntry('name'), { ids: new Uint8Array(64) })])[0] as Uint8Array
  change(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length))
  return bytes
}

describe('the reader of trees', () => {
  it('refuses a tree that is cut short anywhere', () => {
    expect(readAll(tree)).toBe(5)
    for (let length = 0; length < tree.length; length++) {
      expect(outcomeOf(() => readAll(tree.subarray(0, length)))).toBe('refused')
    }
  })

  it('reads from any place in larger memory', () => {
    const memory = new Uint8Array(tree.length + 5)
    memory.set(tree, 5)
    expect(readAll(memory.subarray(5))).toBe(5)
  })

  it('refuses a tree with bytes behind its last entry', () => {
    expect(() => readAll(Buffer.concat([tree, Buffer.alloc(1)]))).toThrow('bytes behind its last entry')
  })

  it('takes no memory for entries that a count only claims', () => {
    const bytes = treeBlobs([])[0] as Uint8Array
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(4, 0xffffffff, true)
    expect(() => readAll(bytes)).toThrow('A tree is cut short')
  })

  it.each<[string, (bytes: Uint8Array, view: DataView) => void, string]>([
    ['of the kind 0', (bytes) => bytes.set([0], kindAt), 'unknown kind 0'],
    ['of the kind 9', (bytes) => bytes.set([9], kindAt), 'unknown kind 9'],
    ['whose name is empty', (_, view) => view.setUint16(kindAt + 2, 0, true), 'illegal name'],
    ['whose name holds a slash', (bytes) => bytes.set([0x2f], nameAt + 1), 'illegal name "n/me"'],
    ['whose name holds a NUL', (bytes) => bytes.set([0], nameAt + 1), 'illegal name'],
    [
      'whose name is longer than the tree',
      (_, view) => view.setUint16(kindAt + 2, 60_000, true),
      'longer than the tree',
    ],
    ['that is longer than the tree', (_, view) => view.setUint32(8, 0xffffffff, true), 'longer than the tree'],
    ['with the bits of a file type', (_, view) => view.setUint32(kindAt + 4, 0o100644, true), 'mode bits'],
    ['with too many nanoseconds', (_, view) => view.setUint32(kindAt + 24, 1e9, true), 'impossible time'],
    ['from before all time', (_, view) => view.setInt32(kindAt + 32, -(2 ** 31), true), 'impossible time'],
    ['of a size beyond 2⁵³', (_, view) => view.setUint32(kindAt + 44, 2 ** 21, true), 'impossible size'],
    ['of a negative size', (_, view) => view.setInt32(kindAt + 44, -1, true), 'impossible size'],
    ['whose content is no whole number of ids', (_, view) => view.setUint32(nameAt + 5, 64, true), 'illegal length 64'],
    ['whose field reaches beyond it', (_, view) => view.setUint32(nameAt + 5, 97, true), 'out of place'],
    ['whose content is nested too deep', (bytes) => bytes.set([4], nameAt + 9), 'nested 4 deep'],
  ])('refuses an entry %s', (_what, change, message) => {
    expect(() => readAll(one(change))).toThrow(expect.objectContaining({ code: 'damaged' }))
    expect(() => readAll(one(change))).toThrow(message)
  })

  it.each(['.', '..'])('refuses the name %s', (name) => {
    const entry = encodeEntry(sourceEntry('x'.repeat(name.length)))
    entry.set(Buffer.from(name), 60)
    expect(() => readAll(treeBlobs([entry])[0] as Uint8Array)).toThrow('illegal name')
  })

  it.each([
    ['twice', 'bb', 'bb'],
    ['out of order', 'bb', 'ba'],
  ])('refuses names that come %s', (_what, first, second) => {
    const [a, b] = [encodeEntry(sourceEntry('aa')), encodeEntry(sourceEntry('bb'))]
    const bytes = treeBlobs([a, b])[0] as Uint8Array
    bytes.set(Buffer.from(first), nameAt)
    bytes.set(Buffer.from(second), nameAt + a.length)
    expect(() => readAll(bytes)).toThrow('not in order')
  })

  it('skips fields that later versions may add', () => {
    const entry = encodeEntry(sourceEntry('name'), { ids: new Uint8Array(32) })
    const longer = Buffer.concat([entry, Uint8Array.of(77, 3, 0, 0, 0, 1, 2, 3)])
    longer.writeUInt32LE(longer.length - 4, 0)
    const cursor = new TreeCursor(treeBlobs([longer])[0] as Uint8Array)
    expect(cursor.next()).toBe(true)
    expect(cursor.content?.ids).toEqual(new Uint8Array(32))
    expect(cursor.next()).toBe(false)
  })

  it.each([
    ['an attribute longer than the field', Uint8Array.of(3, 6, 0, 0, 0, 1, 0, 0x61, 1, 0, 0)],
    ['an attribute without a name', Uint8Array.of(3, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['an attribute whose value is longer', Uint8Array.of(3, 7, 0, 0, 0, 1, 0, 0x61, 1, 0, 0, 0)],
    ['half an attribute', Uint8Array.of(3, 1, 0, 0, 0, 1)],
    ['half a field', Uint8Array.of(3, 1, 0, 0)],
    ['extents that overlap', extents([0, 10], [9, 1])],
    ['an empty extent', extents([5, 0])],
  ])('refuses an entry with %s', (_what, field) => {
    const entry = Buffer.concat([encodeEntry(sourceEntry('name')), field])
    entry.writeUInt32LE(entry.length - 4, 0)
    expect(() => readAll(treeBlobs([entry])[0] as Uint8Array)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })

  it('reads or refuses whatever comes, never anything else', () => {
    fc.assert(
      fc.property(damagedCopies(tree), (bytes) => {
        outcomeOf(() => readAll(bytes))
      }),
      { numRuns: 3000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        outcomeOf(() => readAll(Buffer.concat([tree.subarray(0, 8), bytes])))
      }),
    )
  })
})

function extents(...list: readonly (readonly [offset: number, length: number])[]): Uint8Array {
  const bytes = Buffer.alloc(5 + list.length * 16)
  bytes[0] = 7
  bytes.writeUInt32LE(list.length * 16, 1)
  for (const [n, [offset, length]] of list.entries()) {
    bytes.writeBigUInt64LE(BigInt(offset), 5 + n * 16)
    bytes.writeBigUInt64LE(BigInt(length), 13 + n * 16)
  }
  return bytes
}

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeEntry, sourceEntry, treeBlobs } from '../../format/testing/entries.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import { blobType } from '../backup/blob-writer.js'
import { IdMap } from './id-map.js'
import { areTwins, Translator } from './named-ids.js'

const sourceId = (n: number) => new Uint8Array(32).fill(n + 1)
const targetId = (n: number) => new Uint8Array(32).fill(200 - n)
const ids = (idOf: (n: number) => Uint8Array, numbers: readonly number[]) =>
  new Uint8Array(Buffer.concat(numbers.map(idOf)))

const blobs = 40

/** Knows all blobs but the last, in another order than they have in the source. */
function makeTranslator(): Translator {
  const source = ChunkTable.create(0, 100)
  const target = ChunkTable.create(0, 100)
  const map = IdMap.create(blobs)
  const targets = new Map<number, number>()
  for (let n = blobs - 1; n >= 0; n--) targets.set(n, target.claim(new Uint32Array(targetId(n).buffer)))
  for (let n = 0; n < blobs; n++) {
    const entry = source.claim(new Uint32Array(sourceId(n).buffer))
    if (n < blobs - 1) map.set(entry, targets.get(n) as number)
  }
  return new Translator(map, source, target)
}

// Its tables take some MB, and nothing that it does changes them.
const translator = makeTranslator()

interface Child {
  readonly numbers: readonly number[]
  readonly kind: 'file' | 'list' | 'sparse' | 'directory' | 'symlink' | 'changed' | 'unreadable'
}

function treeOf(idOf: (n: number) => Uint8Array, children: readonly Child[]): Uint8Array {
  const entries = children.map(({ kind, numbers }, n) => {
    const name = `entry-${String(n).padStart(3, '0')}`
    const size = { sizeBytes: 5000, linkCount: 2, inode: BigInt(n) }
    if (kind === 'directory') return encodeEntry(sourceEntry(name, { kind }), { tree: ids(idOf, numbers) })
    if (kind === 'symlink') return encodeEntry(sourceEntry(name, { kind }), {})
    if (kind === 'unreadable') return encodeEntry(sourceEntry(name, size), { error: 'EACCES' })
    const extents = kind === 'sparse' ? [{ offset: 1000, length: 10 }] : undefined
    const depth = kind === 'list' ? 2 : 0
    return encodeEntry(sourceEntry(name, size), {
      ids: ids(idOf, numbers),
      depth,
      extents,
      changed: kind === 'changed',
    })
  })
  return treeBlobs(entries)[0] as Uint8Array
}

const children = fc.array(
  fc.record({
    kind: fc.constantFrom<Child['kind']>('file', 'list', 'sparse', 'directory', 'symlink', 'changed', 'unreadable'),
    numbers: fc.array(fc.nat(blobs - 2), { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 20 },
)

describe('a translated tree', () => {
  it('is byte by byte what a backup with the ids of the target would have written', () => {
    fc.assert(
      fc.property(children, (entries) => {
        const tree = treeOf(sourceId, entries)
        translator.translate(blobType.tree, tree)
        expect(Buffer.compare(tree, treeOf(targetId, entries))).toBe(0)
      }),
    )
  })

  it('is refused when it names what was not copied, or is unknown', () => {
    for (const number of [blobs - 1, blobs + 5]) {
      const tree = treeOf(sourceId, [{ kind: 'file', numbers: [0, number] }])
      expect(() => translator.translate(blobType.tree, tree)).toThrow(expect.objectContaining({ code: 'damaged' }))
    }
  })
})

describe('a translated list', () => {
  it('has the ids of the target in the same order', () => {
    const list = ids(sourceId, [3, 0, 3])
    translator.translate(blobType.list, list)
    expect(list).toEqual(ids(targetId, [3, 0, 3]))
  })

  it('of an impossible length is refused', () => {
    expect(() => translator.translate(blobType.list, new Uint8Array(33))).toThrow(
      expect.objectContaining({ code: 'damaged' }),
    )
  })
})

describe('twins', () => {
  it('are trees that differ in their ids alone; looking changes neither', () => {
    fc.assert(
      fc.property(children, (entries) => {
        const [one, other] = [treeOf(sourceId, entries), treeOf(targetId, entries)]
        const before = one.slice()
        expect(areTwins(blobType.tree, one, other)).toBe(true)
        expect(one).toEqual(before)
      }),
    )
  })

  it('are not trees with other metadata, or other counts of blobs', () => {
    const one = treeOf(sourceId, [{ kind: 'file', numbers: [1] }])
    const renamed = treeOf(targetId, [{ kind: 'file', numbers: [1] }])
    const cursor = new TreeCursor(renamed)
    cursor.next()
    cursor.name[0] = 0x45
    expect(areTwins(blobType.tree, one, renamed)).toBe(false)
    expect(areTwins(blobType.tree, one, treeOf(targetId, [{ kind: 'file', numbers: [1, 2] }]))).toBe(false)
    expect(areTwins(blobType.tree, one, treeOf(targetId, [{ kind: 'changed', numbers: [1] }]))).toBe(false)
  })
})

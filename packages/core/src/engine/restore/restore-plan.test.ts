import { describe, expect, it } from 'vitest'
import { encodeEntry, sourceEntry, treeBlobs } from '../../format/testing/entries.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { ChunkTable } from '../../repository/chunk-table.js'
import type { TreeWalker, WalkedEntry } from '../browse/tree-walker.js'
import { referenceWords } from './protocol.js'
import { RestorePlan } from './restore-plan.js'

const chunkBytes = 1000
const walker = {
  contentIds: (cursor: TreeCursor) => Promise.resolve(cursor.content?.ids ?? new Uint8Array(0)),
} as unknown as TreeWalker

function idOf(chunk: number): Uint8Array {
  return new Uint8Array(32).fill(chunk + 1)
}

/** A table in which every chunk lies where `places` says: its pack, and its offset in it. */
function tableOf(places: readonly (readonly [pack: number, offset: number])[]): ChunkTable {
  const table = ChunkTable.create(0, 100)
  for (const [chunk, [pack, offset]] of places.entries()) {
    const entry = table.claim(new Uint32Array(idOf(chunk).buffer))
    table.setLocation(entry, pack, offset, chunkBytes + 16, chunkBytes, 0)
  }
  return table
}

function fileOf(path: string, chunks: readonly number[], sizeBytes = chunks.length * chunkBytes): WalkedEntry {
  const components = path.split('/').map((name) => new Uint8Array(Buffer.from(name)))
  const entry = { ...sourceEntry(path.split('/').at(-1) as string), sizeBytes }
  const [tree] = treeBlobs([encodeEntry(entry, { ids: Buffer.concat(chunks.map(idOf)) })])
  const cursor = new TreeCursor(tree as Uint8Array)
  cursor.next()
  return { path: components, cursor }
}

/** Rows of one thread as objects, chunks by the offset that they have in the pack. */
function rowsOf(table: ChunkTable, references: Uint32Array) {
  const rows: { offset: number; file: number; position: number }[] = []
  for (let at = 0; at < references.length; at += referenceWords) {
    const [entry, file, low, high] = references.subarray(at, at + referenceWords) as unknown as number[]
    rows.push({
      offset: table.offsetOf(entry as number),
      file: file as number,
      position: (low as number) + (high as number) * 2 ** 32,
    })
  }
  return rows
}

describe('RestorePlan', () => {
  it('asks for each pack once, in order, and for its chunks in the order of the pack', async () => {
    const table = tableOf([
      [1, 5000],
      [0, 0],
      [1, 0],
    ])
    const plan = new RestorePlan(walker, table, 1)
    await plan.add(fileOf('a', [0, 1]))
    await plan.add(fileOf('b', [2, 0]))
    const packs = [...plan.packs()]
    expect(packs.map(({ pack }) => pack)).toEqual([0, 1])
    expect(rowsOf(table, packs[1]?.references[0] as Uint32Array)).toEqual([
      { offset: 0, file: 1, position: 0 },
      { offset: 5000, file: 0, position: 0 },
      { offset: 5000, file: 1, position: chunkBytes },
    ])
    expect([plan.files, plan.references]).toEqual([2, 4])
  })

  it('joins what lies near each other or the header, and nothing else', async () => {
    const far = 10 * 1024 * 1024
    const table = tableOf([
      [0, 100],
      [0, 5000],
      [0, far],
    ])
    const plan = new RestorePlan(walker, table, 1)
    await plan.add(fileOf('a', [2, 0, 1]))
    const [work] = [...plan.packs()]
    expect(work?.spans).toEqual([
      { offset: 0, length: 5000 + chunkBytes + 16 },
      { offset: far, length: chunkBytes + 16 },
    ])
  })

  it('gives all chunks of a file to one thread, and tells each only its own', async () => {
    const table = tableOf([
      [0, 0],
      [1, 0],
    ])
    const plan = new RestorePlan(walker, table, 2)
    await plan.add(fileOf('even', [0]))
    await plan.add(fileOf('odd', [1]))
    await plan.add(fileOf('both', [0, 1]))
    const [first, second] = [...plan.packs()]
    expect(first?.references.map((references) => rowsOf(table, references).map(({ file }) => file))).toEqual([
      [0, 1],
      [],
    ])
    expect(second?.references.map((references) => rowsOf(table, references).map(({ file }) => file))).toEqual([
      [1],
      [0],
    ])
    const pathOf = (thread: number, file: number) => Buffer.concat([...plan.pathOf(thread, file)]).toString()
    expect([pathOf(0, 0), pathOf(1, 0), pathOf(0, 1)]).toEqual(['even', 'odd', 'both'])
  })

  it('gives files of a pack to another thread when its own has far more to do, in later batches too', async () => {
    const table = tableOf([[0, 0]])
    let plan = new RestorePlan(walker, table, 2)
    // Far more than a thread may be ahead: every file counts, not only its bytes.
    for (let n = 0; n < 3000; n++) await plan.add(fileOf(`${n}`, [0]))
    const counts = [0, 1].map((thread) => plan.batchOf(thread).files.length / 2)
    expect(counts[0]).toBeGreaterThan(counts[1] as number)
    expect(counts[1]).toBeGreaterThan(0)
    plan = plan.next()
    expect([plan.files, plan.references]).toEqual([0, 0])
    await plan.add(fileOf('next', [0]))
    await plan.add(fileOf('after', [0]))
    expect(plan.batchOf(1).files.length).toBeGreaterThan(0)
  })

  it('names each folder once for the files that follow each other in it', async () => {
    const table = tableOf([[0, 0]])
    const plan = new RestorePlan(walker, table, 1)
    const [folder, other] = [[new Uint8Array([1])], [new Uint8Array([2])]]
    for (const parent of [folder, folder, other])
      await plan.add({ ...fileOf('f', [0]), path: [...parent, new Uint8Array(Buffer.from('f'))] })
    const { directories, files } = plan.batchOf(0)
    expect([...directories]).toEqual([1, 0, 2, 0])
    expect([...files]).toEqual([0, 1, 0, 1, 1, 1])
  })

  it('puts files aside of which the index lacks a chunk, or that have another length', async () => {
    const table = tableOf([[0, 0]])
    const plan = new RestorePlan(walker, table, 1)
    await plan.add(fileOf('whole', [0]))
    await plan.add(fileOf('lacking', [0, 7]))
    await plan.add(fileOf('longer', [0], chunkBytes + 1))
    expect(plan.files).toBe(1)
    expect(plan.lost.count).toBe(2)
    expect(plan.lost.issues.map(({ kind, path }) => [kind, Buffer.concat([...path]).toString()])).toEqual([
      ['damaged', 'lacking'],
      ['damaged', 'longer'],
    ])
    expect(plan.references).toBe(1)
  })
})

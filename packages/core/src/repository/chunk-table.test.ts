import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ChunkTable, notFound } from './chunk-table.js'

function idOf(n: number): Uint32Array {
  const id = new Uint32Array(8)
  for (let i = 0; i < 8; i++) id[i] = Math.imul(n + 1, 2654435761 + i * 977) >>> 0
  id[7] = n
  return id
}

describe('ChunkTable', () => {
  it('finds what was claimed, with its location, and nothing else', () => {
    const table = ChunkTable.create(0, 10_000)
    for (let n = 0; n < 5000; n++) {
      const entry = table.claim(idOf(n))
      expect(entry).toBeGreaterThanOrEqual(0)
      table.setLocation(entry, n % 7, n * 10, n + 16, n, n % 3)
    }
    for (let n = 0; n < 5000; n++) {
      const entry = table.find(idOf(n))
      expect([
        table.packOf(entry),
        table.offsetOf(entry),
        table.sealedLengthOf(entry),
        table.plainLengthOf(entry),
        table.compressionOf(entry),
      ]).toEqual([n % 7, n * 10, n + 16, n, n % 3])
    }
    expect(table.find(idOf(5000))).toBe(notFound)
  })

  it('takes the rows of whole packs, and leaves an id where it was first', () => {
    const table = ChunkTable.create(3000, 100)
    const rowsOf = (...numbers: number[]) =>
      Uint32Array.from(numbers.flatMap((n) => [...idOf(n), n * 10, n + 16, n + 1, n % 2]))
    const first = Array.from({ length: 2000 }, (_, n) => n)
    const second = Array.from({ length: 1000 }, (_, n) => n + 1500)
    table.load(4, rowsOf(...first), [3, 7])
    table.load(5, rowsOf(...second), [3, 7])
    expect(table.count).toBe(2500)
    for (let n = 0; n < 2500; n++) {
      const entry = table.find(idOf(n))
      expect([
        table.packOf(entry),
        table.offsetOf(entry),
        table.sealedLengthOf(entry),
        table.plainLengthOf(entry),
        table.compressionOf(entry),
      ]).toEqual([n < 2000 ? 4 : 5, n * 10, n + 16, n + 1, n % 2 === 0 ? 3 : 7])
    }
    expect(table.find(idOf(2500))).toBe(notFound)
    expect(table.claim(idOf(2500))).toBe(2500)
  })

  it('refuses more rows than it was made for', () => {
    const table = ChunkTable.create(1, 0)
    const rows = Uint32Array.from(Array.from({ length: 5000 }, (_, n) => [...idOf(n), 0, 1, 1, 0]).flat())
    expect(() => table.load(0, rows, [0])).toThrow(RangeError)
  })

  it('says which entry is there when an id is claimed again', () => {
    const table = ChunkTable.create(10, 10)
    const entry = table.claim(idOf(1))
    expect(table.claim(idOf(1))).toBe(-2 - entry)
    expect(table.count).toBe(1)
  })

  it('goes on in further generations when the first is full', () => {
    const table = ChunkTable.create(0, 400_000)
    for (let n = 0; n < 400_000; n++) table.claim(idOf(n))
    expect(table.count).toBe(400_000)
    let missing = 0
    for (let n = 0; n < 400_000; n++) if (table.find(idOf(n)) === notFound) missing++
    expect(missing).toBe(0)
    expect(table.claim(idOf(17))).toBeLessThan(-1)
  })

  it('keeps the largest plain length and compression apart', () => {
    const table = ChunkTable.create(1, 1)
    const entry = table.claim(idOf(3))
    table.setLocation(entry, 0, 4_294_967_295, 17_000_000, 16_777_216, 127)
    expect(table.plainLengthOf(entry)).toBe(16_777_216)
    expect(table.compressionOf(entry)).toBe(127)
    expect(table.offsetOf(entry)).toBe(4_294_967_295)
  })

  it('gives each id to exactly one of several threads that claim it at once', async () => {
    const table = ChunkTable.create(0, 100_000)
    const won = new SharedArrayBuffer(50_000 * 4)
    const code = `
      const { workerData } = require('node:worker_threads')
      import(workerData.url).then(({ ChunkTable }) => {
        const table = ChunkTable.attach(workerData.handle)
        const won = new Int32Array(workerData.won)
        const id = new Uint32Array(8)
        for (let n = 0; n < 50000; n++) {
          for (let i = 0; i < 8; i++) id[i] = Math.imul(n + 1, 2654435761 + i * 977) >>> 0
          id[7] = n
          if (table.claim(id) >= 0) Atomics.add(won, n, 1)
        }
      })`
    const url = new URL('../../dist/repository/chunk-table.js', import.meta.url).href
    const threads = Array.from(
      { length: 3 },
      () => new Worker(code, { eval: true, workerData: { url, handle: table.handle, won } }),
    )
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('exit', resolve))))
    expect(new Int32Array(won).every((count) => count === 1)).toBe(true)
  })
})

import { describe, expect, it } from 'vitest'
import { ByteList, RowList } from './growable.js'

describe('ByteList', () => {
  it('keeps all bytes in order, whatever the length of the pieces', () => {
    const list = new ByteList()
    const pieces = [0, 1, 4095, 1, 10_000, 3].map((length, n) => new Uint8Array(length).fill(n))
    for (const piece of pieces) list.append(piece)
    expect(Buffer.concat(pieces).equals(list.view())).toBe(true)
  })
})

describe('RowList', () => {
  it('keeps rows beyond its first size, and values up to 32 bits', () => {
    const rows = new RowList(3)
    for (let n = 0; n < 1_000; n++) rows.append([n, 0xffffffff - n, 7])
    expect(rows.count).toBe(1_000)
    expect([rows.at(999, 0), rows.at(999, 1), rows.at(0, 2)]).toEqual([999, 0xffffffff - 999, 7])
    expect(rows.words().length).toBe(3_000)
  })

  it('copies the first columns of a row to a position', () => {
    const rows = new RowList(3)
    rows.append([1, 2, 3])
    rows.append([4, 5, 6])
    const into = new Uint32Array(5)
    rows.copy(1, 2, into, 2)
    expect([...into]).toEqual([0, 0, 4, 5, 0])
  })
})

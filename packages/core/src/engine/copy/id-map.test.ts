import { describe, expect, it } from 'vitest'
import { notFound } from '../../repository/chunk-table.js'
import { IdMap } from './id-map.js'

describe('IdMap', () => {
  it('knows the target of what was copied, the first entry of the target included', () => {
    const map = IdMap.create(3)
    map.set(1, 0)
    map.set(2, 15_999_999)
    expect([0, 1, 2].map((entry) => map.targetOf(entry))).toEqual([notFound, 0, 15_999_999])
  })

  it('knows what is damaged, which has no target', () => {
    const map = IdMap.create(2)
    map.markDamaged(1)
    expect([0, 1].map((entry) => map.isDamaged(entry))).toEqual([false, true])
    expect(map.targetOf(1)).toBe(notFound)
  })

  it('takes 4 bytes a blob, which other threads see', () => {
    const map = IdMap.create(1000)
    map.set(7, 8)
    expect(map.memory.byteLength).toBe(4000)
    expect(new IdMap(map.memory).targetOf(7)).toBe(8)
  })
})

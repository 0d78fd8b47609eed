import { describe, expect, it } from 'vitest'
import { noteInDoubt } from '../memory-in-doubt.js'
import { filled } from './pack-cache.js'

describe('filled', () => {
  /** Allocates memory, of which the first pieces are given up in the middle of a reading. */
  function reading(givenUp: number) {
    const allocated: Uint8Array[] = []
    const allocate = () => {
      const memory = new Uint8Array(3)
      allocated.push(memory)
      return memory
    }
    const read = async (into: Uint8Array) => {
      into.fill(7)
      if (allocated.length <= givenUp) noteInDoubt(into)
    }
    return { allocated, result: filled(allocate, read) }
  }

  it('gives memory with what was read', async () => {
    const { allocated, result } = reading(0)
    expect(await result).toBe(allocated[0])
    expect(allocated).toEqual([new Uint8Array(3).fill(7)])
  })

  it('reads once more to where nobody can write any longer', async () => {
    const { allocated, result } = reading(2)
    expect(await result).toBe(allocated[2])
    expect(allocated).toHaveLength(3)
  })

  it('gives up when that happens over and over', async () => {
    const { allocated, result } = reading(99)
    await expect(result).rejects.toMatchObject({ code: 'transient' })
    expect(allocated).toHaveLength(5)
  })
})

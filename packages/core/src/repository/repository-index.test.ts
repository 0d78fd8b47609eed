import { describe, expect, it } from 'vitest'
import { forEachAtATime } from './repository-index.js'

const turn = () => new Promise((resolve) => setImmediate(resolve))
const items = Array.from({ length: 20 }, (_, n) => n)

describe('an action for each of many items', () => {
  it('is done for all, so many at a time', async () => {
    let atWork = 0
    const most: number[] = []
    const done: number[] = []
    await forEachAtATime(items, 3, async (item) => {
      most.push(++atWork)
      await turn()
      atWork--
      done.push(item)
    })
    expect(done).toEqual(items)
    expect(Math.max(...most)).toBe(3)
  })

  it('is begun for none after one has failed, and nothing is left at work', async () => {
    const begun: number[] = []
    const ended: number[] = []
    const running = forEachAtATime(items, 3, async (item) => {
      begun.push(item)
      if (item === 1) throw new Error('the second fails')
      await turn()
      await turn()
      ended.push(item)
    })
    await expect(running).rejects.toThrow('the second fails')
    expect(begun).toEqual([0, 1, 2])
    expect(ended).toEqual([0, 2])
  })
})

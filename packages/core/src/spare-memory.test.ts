import { expect, it } from 'vitest'
import { noteInDoubt } from './memory-in-doubt.js'
import { SpareMemory } from './spare-memory.js'

it('gives memory again that is long enough', () => {
  const spare = new SpareMemory((bytes) => new ArrayBuffer(bytes))
  const [short, long] = [spare.take(10), spare.take(20)]
  spare.giveBack(short.buffer)
  spare.giveBack(long.buffer)
  const again = spare.take(15)
  expect(again.buffer).toBe(long.buffer)
  expect(again).toHaveLength(15)
  expect(spare.take(15).buffer).not.toBe(short.buffer)
})

it('keeps no memory that is in doubt, and no more than it may', () => {
  const spare = new SpareMemory((bytes) => new SharedArrayBuffer(bytes), 1)
  const [inDoubt, kept, tooMuch] = [spare.take(10), spare.take(10), spare.take(10)]
  noteInDoubt(inDoubt)
  for (const { buffer } of [inDoubt, kept, tooMuch]) spare.giveBack(buffer)
  expect(spare.take(10).buffer).toBe(kept.buffer)
  expect([inDoubt.buffer, tooMuch.buffer]).not.toContain(spare.take(10).buffer)
})

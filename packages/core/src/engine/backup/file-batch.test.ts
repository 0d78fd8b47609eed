import type { SourceEntry } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { FileBatch, isWorthGiving } from './file-batch.js'

const file = (sizeBytes: number) => ({ sizeBytes }) as SourceEntry
const mebibyte = 1024 * 1024

describe('a file', () => {
  it.each([
    [10, 3, false],
    [10, 64, true],
    [mebibyte, 0, true],
    [mebibyte - 1, 63, false],
  ])('of %i bytes with %i behind it is worth giving: %s', (sizeBytes, unread, expected) => {
    expect(isWorthGiving(file(sizeBytes), unread)).toBe(expected)
  })
})

describe('a batch of files', () => {
  it('is full with 64 of them, or with 32 MiB', () => {
    const many = new FileBatch()
    expect(Array.from({ length: 64 }, () => many.add(file(1))).indexOf(true)).toBe(63)
    const large = new FileBatch()
    expect([1, 2, 3, 4].map(() => large.add(file(10 * mebibyte)))).toEqual([false, false, false, true])
  })

  it('becomes what the other thread made of it', async () => {
    const batch = new FileBatch()
    const entries = Uint8Array.of(1, 2, 3)
    batch.become(Promise.resolve({ kind: 'entries', entries }))
    expect(await batch.encoded).toBe(entries)
  })

  it('fails with the other thread', async () => {
    const batch = new FileBatch()
    batch.become(Promise.reject(new Error('no disk')))
    await expect(batch.encoded).rejects.toThrow('no disk')
  })
})

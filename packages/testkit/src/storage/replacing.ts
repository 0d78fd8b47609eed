import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectListed, expectStored } from './observations.js'

export function describeReplacing({ withStorage }: StorageUnderTest): void {
  describe('a put on top of an object', () => {
    it.each([
      ['shorter', 10],
      ['longer', 200_000],
      ['equally long', 100_000],
      ['empty', 0],
    ])('replaces it by one that is %s', (_name, sizeBytes) =>
      withStorage(async (storage, { reopen }) => {
        await storage.put('sessions/one', randomLikeBytes(100_000, 1))
        const later = randomLikeBytes(sizeBytes, 2)
        await storage.put('sessions/one', later)
        await expectStored(storage, 'sessions/one', later)
        await expectStored(await reopen(), 'sessions/one', later)
        await expectListed(storage, '', [{ key: 'sessions/one', sizeBytes }])
      }),
    )

    it('may be repeated with the same bytes', () =>
      withStorage(async (storage) => {
        const bytes = randomLikeBytes(1000)
        for (let round = 0; round < 3; round++) await storage.put('index/one', bytes)
        await expectStored(storage, 'index/one', bytes)
      }))

    it('is never seen in part, nor as a gap, by those who read meanwhile', () =>
      withStorage(async (storage, { reopen }) => {
        const reader = await reopen()
        // Each version is made of one byte, and its length tells which.
        const versions = [1, 2, 3, 4].map((byte) => new Uint8Array(byte * 300_000).fill(byte))
        await storage.put('sessions/one', versions[0] ?? new Uint8Array(0))
        let isWriting = true
        const read = async () => {
          let reads = 0
          for (; isWriting || reads === 0; reads++) {
            const seen = await reader.get('sessions/one')
            expect(seen.length).toBe((seen[0] ?? 0) * 300_000)
            expect(Buffer.compare(seen, new Uint8Array(seen.length).fill(seen[0] ?? 0))).toBe(0)
            expect((await reader.stat('sessions/one')).sizeBytes % 300_000).toBe(0)
            // A synchronous storage would keep the writer from its turn for ever.
            await nextTurn()
          }
          return reads
        }
        const reading = Promise.all([read(), read()])
        // Awaited below; until then a reader that fails must not count as one that nobody looks at.
        reading.catch(() => undefined)
        try {
          for (let round = 0; round < 3; round++) {
            for (const version of versions) await storage.put('sessions/one', version)
          }
        } finally {
          isWriting = false
        }
        for (const reads of await reading) expect(reads).toBeGreaterThan(0)
      }))

    it('by two writers at once leaves the bytes of one of them', () =>
      withStorage(async (storage, { reopen }) => {
        const other = await reopen()
        const [one, two] = [new Uint8Array(700_000).fill(1), new Uint8Array(900_000).fill(2)]
        for (let round = 0; round < 5; round++) {
          await Promise.all([storage.put('sessions/one', one), other.put('sessions/one', two)])
          const kept = await storage.get('sessions/one')
          expect([one, two].some((bytes) => Buffer.compare(bytes, kept) === 0)).toBe(true)
        }
      }))
  })
}

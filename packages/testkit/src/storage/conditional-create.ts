import { isPortError, type Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectFailure, expectListed, expectStored } from './observations.js'

const writers = 8

export function describeConditionalCreate({ withStorage }: StorageUnderTest): void {
  describe('a put that must not replace', () => {
    it('stores what was not there', () =>
      withStorage(async (storage) => {
        const bytes = randomLikeBytes(5000)
        await storage.put('snapshots/one', bytes, { ifAbsent: true })
        await expectStored(storage, 'snapshots/one', bytes)
      }))

    it('is refused as already-exists and keeps the old object, also when the bytes are the same', () =>
      withStorage(async (storage, { reopen }) => {
        const bytes = randomLikeBytes(5000)
        await storage.put('snapshots/one', bytes)
        if (!storage.capabilities.conditionalCreate) return expectStored(storage, 'snapshots/one', bytes)
        for (const opened of [storage, await reopen()]) {
          for (const other of [bytes, randomLikeBytes(10, 2), new Uint8Array(0)]) {
            await expectFailure('already-exists', 'snapshots/one', () =>
              opened.put('snapshots/one', other, { ifAbsent: true }),
            )
          }
        }
        await expectStored(storage, 'snapshots/one', bytes)
        await expectListed(storage, '', [{ key: 'snapshots/one', sizeBytes: bytes.length }])
      }))

    it(`is won by exactly one of ${writers} that race, round after round`, () =>
      withStorage(async (storage, { reopen }) => {
        const other = await reopen()
        for (let round = 0; round < 10; round++) await race(storage, other, `snapshots/round-${round}`)
      }))

    it('is won by one that is large, whole', () =>
      withStorage(async (storage, { reopen }) => {
        await race(storage, await reopen(), 'packs/ab/large', 3_000_000)
      }))
  })
}

/** Half of the writers use each storage; each writes other bytes. */
async function race(one: Storage, other: Storage, key: string, sizeBytes = 2000): Promise<void> {
  const contents = Array.from({ length: writers }, (_, n) => randomLikeBytes(sizeBytes + n, n + 1))
  const outcomes = await Promise.allSettled(
    contents.map((bytes, n) => (n % 2 === 0 ? one : other).put(key, bytes, { ifAbsent: true })),
  )
  const winners = contents.filter((_, n) => outcomes[n]?.status === 'fulfilled')
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    expect(isPortError(outcome.reason) ? outcome.reason.code : outcome.reason).toBe('already-exists')
  }
  const kept = await one.get(key)
  if (one.capabilities.conditionalCreate) {
    expect(winners).toHaveLength(1)
    expectBytes(kept, winners[0] ?? new Uint8Array(0))
  } else {
    expect(winners.some((bytes) => Buffer.compare(bytes, kept) === 0)).toBe(true)
  }
}

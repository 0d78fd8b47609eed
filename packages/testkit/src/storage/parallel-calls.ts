import { describe, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectFailure, expectListed } from './observations.js'

const transfers = 20
const contents = Array.from({ length: transfers }, (_, n) => ({
  key: `packs/a${n % 3}/object-${n}`,
  bytes: randomLikeBytes(n * 60_000 + 1, n + 1),
}))

export function describeParallelCalls({ withStorage }: StorageUnderTest): void {
  describe(`${transfers} calls at once`, () => {
    it('put and get each its own object', () =>
      withStorage(async (storage) => {
        await Promise.all(contents.map(({ key, bytes }) => storage.put(key, bytes)))
        const read = await Promise.all(contents.map(({ key }) => storage.get(key)))
        for (const [n, { bytes }] of contents.entries()) expectBytes(read[n] ?? new Uint8Array(0), bytes)
        await expectListed(
          storage,
          'packs/',
          contents.map(({ key, bytes }) => ({ key, sizeBytes: bytes.length })),
        )
      }))

    it('read ranges of one object', () =>
      withStorage(async (storage) => {
        const bytes = randomLikeBytes(1_000_000)
        await storage.put('packs/ab/object', bytes)
        const ranges = contents.map((_, n) => ({ offset: n * 40_000, length: 100_000 + n }))
        const read = await Promise.all(ranges.map((range) => storage.get('packs/ab/object', range)))
        for (const [n, { offset, length }] of ranges.entries()) {
          expectBytes(read[n] ?? new Uint8Array(0), bytes.subarray(offset, offset + length))
        }
      }))

    it('may be of every kind, and failures do not touch the others', () =>
      withStorage(async (storage) => {
        const old = contents.slice(0, 5)
        const later = contents.slice(5, 10)
        for (const { key, bytes } of old) await storage.put(key, bytes)
        await Promise.all([
          ...later.map(({ key, bytes }) => storage.put(key, bytes)),
          ...old.map(async ({ key, bytes }) => expectBytes(await storage.get(key), bytes)),
          ...old.map(({ key }) => storage.stat(key)),
          ...Array.from({ length: 5 }, (_, n) =>
            expectFailure('not-found', `missing-${n}`, () => storage.get(`missing-${n}`)),
          ),
        ])
        await expectListed(
          storage,
          '',
          [...old, ...later].map(({ key, bytes }) => ({ key, sizeBytes: bytes.length })),
        )
      }))
  })
}

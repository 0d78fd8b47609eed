import { describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectStored } from './observations.js'

export function describeClosing({ withStorage }: StorageUnderTest): void {
  describe('closing', () => {
    it('may be done twice, also at once', () =>
      withStorage(async (storage, { reopen }) => {
        await storage.put('object', randomLikeBytes(10))
        await storage.close()
        await expect(storage.close()).resolves.toBeUndefined()
        const other = await reopen()
        await other.get('object')
        await expect(Promise.all([other.close(), other.close()])).resolves.toHaveLength(2)
      }))

    it('may be done without any call before', () =>
      withStorage(async (_storage, { reopen }) => {
        await expect((await reopen()).close()).resolves.toBeUndefined()
      }))

    it('leaves the objects, and whoever else has opened the place', () =>
      withStorage(async (storage, { reopen }) => {
        const [one, two] = [randomLikeBytes(1000, 1), randomLikeBytes(1000, 2)]
        const other = await reopen()
        await storage.put('packs/ab/one', one)
        await storage.close()
        await expectStored(other, 'packs/ab/one', one)
        await other.put('packs/ab/two', two)
        await expectStored(await reopen(), 'packs/ab/two', two)
      }))
  })
}

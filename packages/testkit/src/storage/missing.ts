import { describe, expect, it } from 'vitest'
import type { StorageUnderTest } from './describe-storage.js'
import { expectAbsent, expectFailure, expectListed, expectStored, listed } from './observations.js'

const something = Buffer.from('something')

export function describeMissing({ withStorage }: StorageUnderTest): void {
  describe('what is not there', () => {
    it.each(['nothing', 'packs/ab/nothing'])('is not-found to get, get of a range, and stat: %s', (key) =>
      withStorage(async (storage) => {
        await expectFailure('not-found', key, () => storage.get(key))
        await expectFailure('not-found', key, () => storage.get(key, { offset: 0, length: 0 }))
        await expectFailure('not-found', key, () => storage.get(key, { offset: 5, length: 5 }))
        await expectFailure('not-found', key, () => storage.stat(key))
      }),
    )

    it('is an empty list, in an empty place and under any prefix', () =>
      withStorage(async (storage) => {
        for (const prefix of ['', 'n', 'nothing', 'nothing/', 'nothing/at/all/']) {
          expect(await listed(storage, prefix)).toEqual([])
        }
      }))

    it('is also what only begins or continues the key of an object', () =>
      withStorage(async (storage) => {
        await storage.put('packs/ab/object', something)
        for (const key of ['packs', 'packs/ab', 'packs/ab/objec', 'packs/ab/object2', 'packs/ab/object/more']) {
          await expectFailure('not-found', key, () => storage.get(key))
          await expectFailure('not-found', key, () => storage.stat(key))
        }
        expect(await listed(storage, 'packs/ab/object/')).toEqual([])
        expect(await listed(storage, 'packs/ab/object/more')).toEqual([])
      }))
  })

  describe('removing', () => {
    it('takes an object away, and nothing else', () =>
      withStorage(async (storage) => {
        await storage.put('packs/ab/one', something)
        await storage.put('packs/ab/one-more', something)
        if (!storage.capabilities.canRemove) {
          await expectFailure('unsupported', 'packs/ab/one', () => storage.remove('packs/ab/one'))
          await expectStored(storage, 'packs/ab/one-more', something)
          return
        }
        await storage.remove('packs/ab/one')
        await expectAbsent(storage, 'packs/ab/one')
        await expectListed(storage, 'packs/', [{ key: 'packs/ab/one-more', sizeBytes: something.length }])
      }))

    it('succeeds where there is nothing to remove', () =>
      withStorage(async (storage) => {
        if (!storage.capabilities.canRemove) return expectFailure('unsupported', 'gone', () => storage.remove('gone'))
        await storage.put('packs/ab/object', something)
        await storage.put('gone', something)
        await storage.remove('gone')
        for (const key of ['gone', 'never/there', 'packs', 'packs/ab', 'packs/ab/object/more']) {
          await storage.remove(key)
        }
        await expectStored(storage, 'packs/ab/object', something)
      }))

    it('makes room for the same key again', () =>
      withStorage(async (storage) => {
        await storage.put('sessions/one', something, { ifAbsent: true })
        if (!storage.capabilities.canRemove) return expectStored(storage, 'sessions/one', something)
        await storage.remove('sessions/one')
        await storage.put('sessions/one', Buffer.from('else'), { ifAbsent: true })
        await expectStored(storage, 'sessions/one', Buffer.from('else'))
      }))
  })
}

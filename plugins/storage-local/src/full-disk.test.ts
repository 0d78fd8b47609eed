import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isPortError, type PutOptions, type Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { openFolder } from './testing/open-folder.js'
import { asOrdinaryUser, filesBelow, ownsMachine, withFolder, withSmallDisk } from './testing/temporary-folder.js'

const fitting = randomLikeBytes(900_000, 1)
const tooLarge = randomLikeBytes(3_000_000, 2)
const small = Buffer.from('small')

async function failureOf(action: () => Promise<unknown>): Promise<{ code: string; hint: string | undefined }> {
  try {
    await action()
  } catch (error) {
    if (isPortError(error)) return { code: error.code, hint: error.hint }
    throw error
  }
  return { code: 'nothing was thrown', hint: undefined }
}

async function expectObject(storage: Storage, key: string, bytes: Uint8Array): Promise<void> {
  expect(Buffer.compare(await storage.get(key), bytes)).toBe(0)
}

describe.runIf(ownsMachine)('a disk that is full', () => {
  const ways: readonly (readonly [string, PutOptions])[] = [
    ['a put', {}],
    ['a put that must not replace', { ifAbsent: true }],
  ]

  it.each(ways)('makes %s fail as quota, with advice, and leaves nothing of it', (_name, options) =>
    withSmallDisk('size=2m', async ({ folder }) => {
      const storage = await openFolder(folder)
      await storage.put('packs/aa/first', fitting)
      const { code, hint } = await failureOf(() => storage.put('packs/ab/second', tooLarge, options))
      expect(code).toBe('quota')
      expect(hint).toMatch(/free space/i)
      expect(filesBelow(folder)).toEqual(['packs/aa/first'])
      await expectPortRejection('not-found', () => storage.stat('packs/ab/second'))
      await expectObject(storage, 'packs/aa/first', fitting)
    }),
  )

  it('keeps the old object when the new one does not fit', () =>
    withSmallDisk('size=2m', async ({ folder }) => {
      const storage = await openFolder(folder)
      await storage.put('sessions/one', small)
      await expectPortRejection('quota', () => storage.put('sessions/one', tooLarge))
      await expectObject(storage, 'sessions/one', small)
      expect(filesBelow(folder)).toEqual(['sessions/one'])
    }))

  it('takes what fits after something was removed', () =>
    withSmallDisk('size=2m', async ({ folder }) => {
      const storage = await openFolder(folder)
      await storage.put('packs/aa/first', fitting)
      await storage.put('packs/aa/second', fitting)
      await expectPortRejection('quota', () => storage.put('packs/aa/third', fitting))
      await storage.remove('packs/aa/first')
      await storage.put('packs/aa/third', fitting)
      await expectObject(storage, 'packs/aa/third', fitting)
    }))

  it('holds whole objects alone after many writers at once have filled it', () =>
    withSmallDisk('size=2m', async ({ folder }) => {
      const storage = await openFolder(folder)
      const keys = Array.from({ length: 8 }, (_, n) => `packs/a${n % 2}/${n}`)
      const outcomes = await Promise.all(keys.map((key) => failureOf(() => storage.put(key, fitting))))
      const stored = keys.filter((_, n) => outcomes[n]?.code === 'nothing was thrown')
      expect(stored.length).toBeLessThanOrEqual(2)
      expect(outcomes.filter(({ code }) => code === 'quota')).toHaveLength(keys.length - stored.length)
      expect(filesBelow(folder)).toEqual(stored.sort())
      for (const key of stored) await expectObject(storage, key, fitting)
    }))

  it('is also one that has no room for more names', () =>
    withSmallDisk('size=2m,nr_inodes=8', async ({ folder }) => {
      const storage = await openFolder(folder)
      let stored = 0
      const { code } = await failureOf(async () => {
        for (; stored < 20; stored++) await storage.put(`packs/a${stored}/object`, small)
      })
      expect(code).toBe('quota')
      expect(stored).toBeGreaterThan(0)
      expect(filesBelow(folder)).toHaveLength(stored)
    }))
})

describe('a folder that may not be written', () => {
  it.runIf(ownsMachine)('on a disk that is mounted read-only can be read, and says forbidden with advice', () =>
    withSmallDisk('size=2m', async ({ folder, makeReadOnly }) => {
      await (await openFolder(folder)).put('packs/aa/first', small)
      makeReadOnly()
      const storage = await openFolder(folder)
      await expectObject(storage, 'packs/aa/first', small)
      for (const key of ['packs/aa/first', 'packs/aa/second', 'index/new']) {
        const { code, hint } = await failureOf(() => storage.put(key, small))
        expect([code, hint]).toEqual(['forbidden', 'The disk is mounted read-only: mount it writable'])
      }
      await expectPortRejection('forbidden', () => storage.remove('packs/aa/first'))
      await expectObject(storage, 'packs/aa/first', small)
      expect(filesBelow(folder)).toEqual(['packs/aa/first'])
    }),
  )

  it.runIf(ownsMachine)('of another user says forbidden with advice', () =>
    withFolder((folder) =>
      asOrdinaryUser(undefined, async () => {
        const storage = await openFolder(folder)
        const { code, hint } = await failureOf(() => storage.put('bkp.json', small))
        expect(code).toBe('forbidden')
        expect(hint).toMatch(/owner and permissions/)
        expect(readdirSync(folder)).toEqual([])
        const below = join(folder, 'repository')
        expect((await failureOf(() => openFolder(below, 'create'))).code).toBe('forbidden')
        expect(existsSync(below)).toBe(false)
      }),
    ),
  )

  it.runIf(ownsMachine)('with objects of another user says forbidden where it may not read them', () =>
    withFolder(async (folder) => {
      await (await openFolder(folder)).put('packs/aa/first', small)
      await asOrdinaryUser(undefined, async () => {
        await expectPortRejection('forbidden', () => openFolder(folder))
      })
    }),
  )

  it('is no hindrance to the user who owns it', () =>
    withFolder((folder) =>
      asOrdinaryUser(folder, async () => {
        const storage = await openFolder(folder)
        await storage.put('bkp.json', small)
        await expectObject(storage, 'bkp.json', small)
      }),
    ))
})

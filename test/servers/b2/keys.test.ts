import { describe, expect, it } from 'vitest'
import { allCapabilities, type Capability } from '../../b2-stand-in/index.js'
import { expectRefusal, keysOf, withB2 } from './open.js'

const bytes = Buffer.from('an object')
const without = (...missing: readonly Capability[]) => allCapabilities.filter((one) => !missing.includes(one))
const needed: readonly Capability[] = ['listFiles', 'readFiles', 'writeFiles', 'deleteFiles']

describe('an application key', () => {
  it('that is for one bucket, one prefix and files alone is enough for everything, and lists no buckets', () =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], namePrefix: 'backup/', capabilities: needed })
      const storage = await open({ key, intent: 'create' })
      await storage.put('packs/ab/one', bytes)
      await storage.put('packs/ab/one', bytes)
      expect(await storage.stat('packs/ab/one')).toEqual({ key: 'packs/ab/one', sizeBytes: bytes.length })
      expect(Buffer.compare(await storage.get('packs/ab/one'), bytes)).toBe(0)
      expect(await keysOf(storage)).toEqual(['packs/ab/one'])
      await storage.remove('packs/ab/one')
      expect(standIn.names()).toEqual([])
      expect(storage.capabilities.canRemove).toBe(true)
      expect(standIn.callsOf('b2_list_buckets')).toBe(0)
    }))

  it('may be for several buckets, as since version 4', () =>
    withB2(async (standIn, open) => {
      standIn.createBucket('another')
      const key = standIn.createKey({ buckets: [standIn.bucket, 'another'], capabilities: needed })
      await (await open({ key, bucket: 'another' })).put('bkp.json', bytes)
      expect(standIn.names('another')).toEqual(['backup/bkp.json'])
      expect(standIn.names()).toEqual([])
    }))

  it('for all buckets finds the bucket by its name', () =>
    withB2(async (standIn, open) => {
      await (await open({ prefix: '' })).put('bkp.json', bytes)
      expect(standIn.names()).toEqual(['bkp.json'])
      const key = standIn.createKey({ capabilities: needed })
      await expectRefusal('forbidden', /lacks the capability listBuckets/, () => open({ key }))
      await expectRefusal('not-found', /There is no bucket missing.*b2 bucket create missing/s, () =>
        open({ bucket: 'missing' }),
      )
    }))

  it('for another bucket is refused before any work, and the message names both', () =>
    withB2(async (standIn, open) => {
      standIn.createBucket('another')
      const key = standIn.createKey({ buckets: ['another'] })
      await expectRefusal('forbidden', /restricted to the bucket another, not bkp-test/, () => open({ key }))
      expect(standIn.spent).toEqual({ A: 0, B: 0, C: 1 })
    }))

  it.each(['other/', 'backup/inner/', 'backup-2'])('for the names %s is refused before any work', (namePrefix) =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], namePrefix })
      await expectRefusal('forbidden', new RegExp(`begin with "${namePrefix}"`), () => open({ key }))
      expect(standIn.spent).toEqual({ A: 0, B: 0, C: 1 })
    }),
  )

  it.each(['', 'back', 'backup', 'backup/'])('for the names "%s" covers the prefix', (namePrefix) =>
    withB2(async (standIn, open) => {
      const storage = await open({ key: standIn.createKey({ buckets: [standIn.bucket], namePrefix }) })
      await storage.put('bkp.json', bytes)
      expect(await keysOf(storage)).toEqual(['bkp.json'])
    }),
  )

  it('that may not delete does everything else, and says that it cannot remove', () =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], capabilities: without('deleteFiles') })
      const storage = await open({ key, intent: 'create' })
      expect(storage.capabilities.canRemove).toBe(false)
      await storage.put('sessions/one', bytes)
      await storage.put('sessions/one', Buffer.from('another'))
      expect(Buffer.from(await storage.get('sessions/one')).toString()).toBe('another')
      expect(standIn.versionsOf('backup/sessions/one')).toHaveLength(2)
      await expectRefusal('unsupported', /Cannot remove sessions\/one.*deleteFiles/s, () =>
        storage.remove('sessions/one'),
      )
      expect(standIn.callsOf('b2_delete_file_version')).toBe(0)
    }))

  it('that may not delete can hide, where the user wants that', () =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], capabilities: without('deleteFiles') })
      const storage = await open({ key, configuration: { removeBy: 'hide' } })
      await storage.put('packs/ab/one', bytes)
      await storage.remove('packs/ab/one')
      await storage.remove('packs/ab/one')
      await storage.remove('packs/ab/never')
      expect(await keysOf(storage)).toEqual([])
      await expectRefusal('not-found', /packs\/ab\/one/, () => storage.stat('packs/ab/one'))
      expect(standIn.versionsOf('backup/packs/ab/one').map(({ action }) => action)).toEqual(['hide', 'upload'])
    }))

  it('that may not write reads, refuses a put without asking B2, and makes no repository', () =>
    withB2(async (standIn, open) => {
      await (await open()).put('bkp.json', bytes)
      const key = standIn.createKey({ buckets: [standIn.bucket], capabilities: without('writeFiles') })
      const storage = await open({ key })
      expect(Buffer.compare(await storage.get('bkp.json'), bytes)).toBe(0)
      const before = standIn.spent
      for (const options of [{}, { ifAbsent: true }]) {
        await expectRefusal('forbidden', /Cannot store packs\/ab\/one.*lacks the capability writeFiles/s, () =>
          storage.put('packs/ab/one', bytes, options),
        )
      }
      expect(standIn.spent).toEqual(before)
      await expectRefusal('forbidden', /writeFiles/, () => open({ key, intent: 'create' }))
    }))

  it('that may only write puts, and tells what it cannot do', () =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], capabilities: ['writeFiles'] })
      const storage = await open({ key, intent: 'create' })
      await storage.put('packs/ab/one', bytes, { ifAbsent: true })
      expect(standIn.names()).toEqual(['backup/packs/ab/one'])
      await expectRefusal('forbidden', /packs\/ab\/one.*readFiles/, () => storage.get('packs/ab/one'))
      await expectRefusal('forbidden', /packs\/ab\/one.*listFiles/, () => storage.stat('packs/ab/one'))
      await expectRefusal('forbidden', /Cannot list.*listFiles/, () => keysOf(storage))
      await expectRefusal('unsupported', /packs\/ab\/one/, () => storage.remove('packs/ab/one'))
    }))

  it('that may not read looks at objects by a list', () =>
    withB2(async (standIn, open) => {
      const key = standIn.createKey({ buckets: [standIn.bucket], capabilities: ['writeFiles', 'listFiles'] })
      const storage = await open({ key })
      await storage.put('packs/ab/one-more', bytes)
      await expectRefusal('not-found', /packs\/ab\/one/, () => storage.stat('packs/ab/one'))
      await storage.put('packs/ab/one', bytes, { ifAbsent: true })
      expect(await storage.stat('packs/ab/one')).toEqual({ key: 'packs/ab/one', sizeBytes: bytes.length })
      await expectRefusal('already-exists', /packs\/ab\/one/, () =>
        storage.put('packs/ab/one', bytes, { ifAbsent: true }),
      )
    }))

  it('that is wrong, or was deleted, is an error of sign-in that tells no secret', () =>
    withB2(async (standIn, open) => {
      const wrong = { applicationKeyId: standIn.applicationKeyId, applicationKey: 'K005wrong-and-secret' }
      const error = await expectRefusal('auth', /Cannot sign in at http.*Check the ID/s, () => open({ key: wrong }))
      expect(JSON.stringify(error) + error.message).not.toContain('wrong-and-secret')
      const key = standIn.createKey()
      const storage = await open({ key })
      standIn.deleteKey(key.applicationKeyId)
      await expectRefusal('auth', /sign in/, () => storage.get('bkp.json'))
    }))

  it('of an account that may not sign in, or of a server that is no B2, is told plainly', () =>
    withB2(async (standIn, open) => {
      standIn.failNext('b2_authorize_account', { status: 403, code: 'transaction_cap_exceeded' })
      await expectRefusal('quota', /Caps & Alerts/, () => open())
      standIn.failNext('b2_authorize_account', { status: 401, code: 'bad_auth_token', message: 'invalid' })
      await expectRefusal('auth', /application key/, () => open())
      standIn.failNext('b2_authorize_account', 'break')
      await expectRefusal('transient', /Cannot sign in/, () => open())
      await expectRefusal('offline', /Cannot sign in/, () =>
        open({ configuration: { realmUrl: 'http://127.0.0.1:1' } }),
      )
    }))
})

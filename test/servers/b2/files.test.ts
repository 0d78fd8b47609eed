import { randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { expectRefusal, keysOf, withB2 } from './open.js'

const megabyte = 1_000_000
const large = randomLikeBytes(12 * megabyte + 5)
const inParts = { largeFileThresholdMiB: 6, partSizeMiB: 5 }
const dayMs = 24 * 60 * 60_000

describe('a large object', () => {
  it('is uploaded in parts, and only above the threshold', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: inParts })
      await storage.put('packs/ab/small', large.subarray(0, 6 * 1_048_576))
      expect(standIn.callsOf('b2_start_large_file')).toBe(0)
      await storage.put('packs/ab/large', large)
      expect(standIn.callsOf('b2_upload_part')).toBe(3)
      expect(Buffer.compare(await storage.get('packs/ab/large'), large)).toBe(0)
      expect(standIn.unfinished()).toEqual([])
    }))

  it('that fits into one part has two all the same, as B2 wants it', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: { largeFileThresholdMiB: 6 } })
      await storage.put('packs/ab/large', large)
      expect(standIn.callsOf('b2_upload_part')).toBe(2)
      expect(Buffer.compare(await storage.get('packs/ab/large'), large)).toBe(0)
    }))

  it('goes on when parts fail and tokens end', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: inParts })
      standIn.failNext('b2_upload_part', { status: 503, code: 'service_unavailable' }, 3)
      standIn.failNext('b2_upload_part', 'break', 2)
      standIn.failNext('b2_upload_part', 'break-after')
      standIn.failNext('b2_finish_large_file', { status: 401, code: 'expired_auth_token' })
      await storage.put('packs/ab/large', large)
      expect(Buffer.compare(await storage.get('packs/ab/large'), large)).toBe(0)
    }))

  it.each(['b2_get_upload_part_url', 'b2_upload_part', 'b2_finish_large_file'])(
    'is cancelled when %s fails for good, and not seen',
    (call) =>
      withB2(async (standIn, open) => {
        const storage = await open({ configuration: inParts })
        standIn.failNext(call, { status: 403, code: 'storage_cap_exceeded' }, 5)
        await expectRefusal('quota', /packs\/ab\/large/, () => storage.put('packs/ab/large', large))
        expect(await keysOf(storage)).toEqual([])
        await storage.close()
        expect(standIn.unfinished()).toEqual([])
      }),
  )

  it('is cancelled when the put is stopped', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: inParts })
      standIn.failNext('b2_upload_part', 'stall', 3)
      const stopping = new AbortController()
      const putting = storage.put('packs/ab/large', large, { signal: stopping.signal }).catch((error: unknown) => error)
      while (standIn.callsOf('b2_upload_part') < 3) await new Promise(setImmediate)
      expect(await keysOf(storage)).toEqual([])
      const reason = new Error('enough')
      stopping.abort(reason)
      expect(await putting).toBe(reason)
      await storage.close()
      expect(standIn.unfinished()).toEqual([])
    }))

  it('that another writer has not finished is neither listed nor removed', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: inParts })
      await storage.put('packs/ab/large', large.subarray(0, 10))
      standIn.failNext('b2_finish_large_file', 'stall')
      const stopping = new AbortController()
      const writer = await open({ configuration: inParts })
      const putting = writer.put('packs/ab/large', large, { signal: stopping.signal }).catch((error: unknown) => error)
      while (standIn.callsOf('b2_finish_large_file') === 0) await new Promise(setImmediate)
      expect(await storage.stat('packs/ab/large')).toEqual({ key: 'packs/ab/large', sizeBytes: 10 })
      await storage.remove('packs/ab/large')
      expect(await keysOf(storage)).toEqual([])
      expect(standIn.unfinished()).toEqual(['backup/packs/ab/large'])
      stopping.abort(new Error('enough'))
      await putting
    }))
})

describe('versions', () => {
  it('that this storage made are deleted when it replaces them, at no cost', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      for (let n = 0; n < 5; n++) await storage.put('sessions/one', Buffer.from(`beat ${n}`))
      expect(standIn.versionsOf('backup/sessions/one')).toHaveLength(1)
      expect(standIn.spent).toMatchObject({ B: 0, C: 2 })
    }))

  it('stay if the user wants that, and removing takes all of them', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: { oldVersions: 'keep' } })
      for (let n = 0; n < 3; n++) await storage.put('sessions/one', Buffer.from(`beat ${n}`))
      await storage.put('sessions/one-more', Buffer.from('another'))
      expect(standIn.versionsOf('backup/sessions/one')).toHaveLength(3)
      await storage.remove('sessions/one')
      expect(standIn.versionsOf('backup/sessions/one')).toEqual([])
      expect(await keysOf(storage)).toEqual(['sessions/one-more'])
    }))

  it('that hide are removed with what they hide, and putting brings an object back', () =>
    withB2(async (standIn, open) => {
      const hiding = await open({ configuration: { removeBy: 'hide' } })
      await hiding.put('packs/ab/one', Buffer.from('old'))
      await hiding.remove('packs/ab/one')
      await hiding.put('packs/ab/one', Buffer.from('new'), { ifAbsent: true })
      expect(await keysOf(hiding)).toEqual(['packs/ab/one'])
      await hiding.remove('packs/ab/one')
      await (await open()).remove('packs/ab/one')
      expect(standIn.versionsOf('backup/packs/ab/one')).toEqual([])
    }))

  it('that do not go away do not fail the put that replaced them', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('sessions/one', Buffer.from('old'))
      standIn.failNext('b2_delete_file_version', { status: 500, code: 'internal_error' })
      await storage.put('sessions/one', Buffer.from('new'))
      expect(Buffer.from(await storage.get('sessions/one')).toString()).toBe('new')
    }))

  it('do not come to light one after the other while an object is removed', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: { oldVersions: 'keep' } })
      for (let n = 0; n < 3; n++) await storage.put('sessions/one', Buffer.from(`beat ${n}`))
      standIn.failNext('b2_delete_file_version', 'break-after')
      await expectRefusal('transient', /Cannot remove sessions\/one/, () => storage.remove('sessions/one'))
      expect(Buffer.from(await storage.get('sessions/one')).toString()).toBe('beat 2')
      await storage.remove('sessions/one')
      expect(await keysOf(storage)).toEqual([])
    }))
})

describe('a file lock', () => {
  const lock = { fileLockMode: 'compliance', fileLockDays: 30 }

  it('keeps objects until its date, whole or in parts, and leaves alone what is replaced all the time', () =>
    withB2(
      async (standIn, open) => {
        const storage = await open({ configuration: { ...lock, ...inParts } })
        expect(storage.capabilities.objectLock).toBe(true)
        await storage.put('packs/ab/one', Buffer.from('kept'))
        await storage.put('packs/ab/large', large)
        await storage.put('sessions/one', Buffer.from('lease'))
        for (const key of ['packs/ab/one', 'packs/ab/large']) {
          const [version] = standIn.versionsOf(`backup/${key}`)
          expect(version?.retention?.mode).toBe('compliance')
          expect((version?.retention?.retainUntilTimestamp ?? 0) - Date.now()).toBeGreaterThan(29.9 * dayMs)
          await expectRefusal('forbidden', /Cannot remove packs.*locked until a date/s, () => storage.remove(key))
        }
        await storage.remove('sessions/one')
        expect(await keysOf(storage)).toEqual(['packs/ab/large', 'packs/ab/one'])
        standIn.advance(31 * dayMs)
        await storage.remove('packs/ab/one')
        expect(await keysOf(storage)).toEqual(['packs/ab/large'])
      },
      { fileLock: true },
    ))

  it('needs a bucket and a key that allow it, and a time', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: lock })
      await expectRefusal('config', /Object Lock is not enabled/, () => storage.put('packs/ab/one', Buffer.from('x')))
      const key = standIn.createKey({ capabilities: ['listBuckets', 'writeFiles'] })
      await expectRefusal('forbidden', /writeFileRetentions/, () => open({ key, configuration: lock }))
      await expectRefusal('config', /fileLockDays/, () => open({ configuration: { fileLockMode: 'governance' } }))
    }))
})

describe('files', () => {
  it('are encrypted by B2 if it is asked to', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: { serverSideEncryption: 'SSE-B2', ...inParts } })
      await storage.put('packs/ab/one', Buffer.from('one'))
      await storage.put('packs/ab/large', large)
      for (const name of standIn.names()) expect(standIn.versionsOf(name)[0]?.encrypted).toBe(true)
      await (await open()).put('packs/ab/two', Buffer.from('two'))
      expect(standIn.versionsOf('backup/packs/ab/two')[0]?.encrypted).toBe(false)
    }))

  it('lie under prefixes of any characters that B2 takes, and others are not ours', () =>
    withB2(async (standIn, open) => {
      const prefix = "my döcs/100 % +1 #?&'"
      const storage = await open({ prefix })
      await storage.put('packs/ab/one', Buffer.from('one'))
      expect(standIn.names()).toEqual([`${prefix}/packs/ab/one`])
      expect(await keysOf(storage)).toEqual(['packs/ab/one'])
      expect(await storage.stat('packs/ab/one')).toMatchObject({ sizeBytes: 3 })
      await (await open({ prefix: `${prefix}-2` })).put('bkp.json', Buffer.from('one'))
      await (await open({ prefix: `${prefix}/packs/ü` })).put('bkp.json', Buffer.from('one'))
      expect(await keysOf(storage)).toEqual(['packs/ab/one'])
    }))

  it('cost what the documentation of this plugin says', () =>
    withB2(async (standIn, open) => {
      const spentBy = async (action: () => Promise<unknown>) => {
        const before = standIn.spent
        await action()
        const { B, C } = standIn.spent
        return { B: B - before.B, C: C - before.C }
      }
      const key = standIn.createKey({ buckets: [standIn.bucket] })
      const storage = await open({ key })
      expect(standIn.spent).toEqual({ A: 0, B: 0, C: 1 })
      const put = () => storage.put('packs/ab/one', Buffer.from('one'))
      expect(await spentBy(put)).toEqual({ B: 0, C: 0 })
      expect(await spentBy(put)).toEqual({ B: 0, C: 0 })
      expect(await spentBy(() => storage.put('index/a', Buffer.from('one'), { ifAbsent: true }))).toEqual({
        B: 1,
        C: 0,
      })
      expect(await spentBy(() => storage.get('packs/ab/one'))).toEqual({ B: 1, C: 0 })
      expect(await spentBy(() => storage.stat('packs/ab/one'))).toEqual({ B: 1, C: 0 })
      expect(await spentBy(() => keysOf(storage))).toEqual({ B: 0, C: 1 })
      expect(await spentBy(() => storage.remove('packs/ab/one'))).toEqual({ B: 0, C: 1 })
    }))
})

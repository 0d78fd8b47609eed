import type { Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BucketOwner } from '../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../plugins/storage-s3/src/testing/open-bucket.js'
import { startRadosgw } from './support/radosgw.js'
import type { S3Keys, S3Server } from './support/s3-server.js'
import { hasServer } from './support/servers.js'

const bytes = randomLikeBytes(10_000)
const later = randomLikeBytes(20_000, 2)
const large = randomLikeBytes(22_000_000)
const key = 'packs/ab/object'

describe.runIf(hasServer('ceph'))("S3, by Ceph's gateway", () => {
  let server: S3Server
  let owner: BucketOwner
  const opened: Storage[] = []

  beforeAll(async () => {
    server = await startRadosgw()
    owner = new BucketOwner(server.endpoint, server.owner)
  })
  afterAll(async () => {
    for (const storage of opened) await storage.close()
    owner?.close()
    await server?.stop()
  })

  async function open(
    bucket: string,
    configuration: Readonly<Record<string, unknown>> = {},
    { accessKeyId, secretAccessKey }: S3Keys = server.owner,
    intent: 'create' | 'open' = 'open',
  ): Promise<Storage> {
    const { endpoint } = server
    const url = `s3://${bucket}/a/place`
    const options = { endpoint, accessKeyId, ...configuration }
    const storage = await openBucket({ url, secretAccessKey, configuration: options, intent })
    opened.push(storage)
    return storage
  }

  async function expectContent(storage: Storage, content: Uint8Array): Promise<void> {
    expect(Buffer.compare(await storage.get(key), content)).toBe(0)
    expect(await storage.stat(key)).toEqual({ key, sizeBytes: content.length })
  }

  describe('opening', () => {
    it('tells wrong keys from a missing bucket', async () => {
      const bucket = await owner.makeBucket()
      const wrong = { ...server.owner, secretAccessKey: 'something-else' }
      await expectPortRejection('auth', () => open(bucket, {}, wrong))
      await expectPortRejection('auth', () => open(bucket, {}, { ...server.owner, accessKeyId: 'nobody' }))
      await expectPortRejection('forbidden', () => open(bucket, {}, server.guest))
      await expect(open('missing-bucket')).rejects.toMatchObject({
        code: 'not-found',
        hint: expect.stringContaining('createBucket=true'),
      })
    })

    it('makes a bucket only where it is told to', async () => {
      await expectPortRejection('not-found', () => open('new-bucket', {}, server.owner, 'create'))
      await expectPortRejection('not-found', () => open('new-bucket', { createBucket: true }, server.owner, 'open'))
      const storage = await open('new-bucket', { createBucket: true }, server.owner, 'create')
      await storage.put(key, bytes)
      await expectContent(await open('new-bucket'), bytes)
    })
  })

  describe('a large object', () => {
    it('goes in parts, and none is left when it is stopped', async () => {
      const bucket = await owner.makeBucket()
      const storage = await open(bucket, { partSizeMiB: 5 })
      await storage.put(key, large)
      await expectContent(storage, large)
      const controller = new AbortController()
      const stopped = storage.put('packs/ab/stopped', large, { signal: controller.signal })
      setImmediate(() => controller.abort(new Error('stopped')))
      await expect(stopped).rejects.toThrow('stopped')
      await expectPortRejection('not-found', () => storage.get('packs/ab/stopped'))
      expect(await owner.unfinishedUploads(bucket)).toBe(0)
    })

    it.each(['crc32', 'sha256', 'md5', 'none'])('and a small one are taken with checksums=%s', async (checksums) => {
      const storage = await open(await owner.makeBucket(), { checksums, partSizeMiB: 5 })
      for (const content of [bytes, large, new Uint8Array(0)]) {
        await storage.put(key, content)
        await expectContent(storage, content)
      }
    })
  })

  describe('of eight writers that must not replace', () => {
    it('one wins, also where the server is not known to know the condition', async () => {
      const bucket = await owner.makeBucket()
      const storages = await Promise.all([open(bucket), open(bucket)])
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, (_, n) =>
          storages[n % 2]?.put(key, randomLikeBytes(1000, n + 1), { ifAbsent: true }),
        ),
      )
      const refused = outcomes.filter(({ status }) => status === 'rejected')
      expect(refused.map((outcome) => 'reason' in outcome && outcome.reason.code)).toEqual(
        Array(7).fill('already-exists'),
      )
    })
  })

  describe('a bucket with versions', () => {
    it('shows the newest, and hides what is removed', async () => {
      const bucket = await owner.makeBucket('versioned')
      const storage = await open(bucket)
      await storage.put(key, bytes)
      await storage.put(key, later)
      await expectPortRejection('already-exists', () => storage.put(key, bytes, { ifAbsent: true }))
      await expectContent(storage, later)
      await storage.remove(key)
      await expectPortRejection('not-found', () => storage.get(key))
      await storage.put(key, bytes, { ifAbsent: true })
      await expectContent(storage, bytes)
      expect(await owner.versions(bucket)).toHaveLength(4)
    })

    it('is freed of all versions where that is wanted', async () => {
      const bucket = await owner.makeBucket('versioned')
      const storage = await open(bucket, { deleteVersions: true })
      for (const content of [bytes, later, bytes]) await storage.put(key, content)
      await (await open(bucket)).remove(key)
      await storage.put(`${key}-2`, later)
      await storage.remove(key)
      await expectPortRejection('not-found', () => storage.get(key))
      expect((await owner.versions(bucket)).map((version) => version.key)).toEqual([`a/place/${key}-2`])
      await storage.remove(key)
    })
  })

  describe('a bucket with locks', () => {
    it.each(['GOVERNANCE', 'COMPLIANCE'])(
      'keeps what is locked (%s), and removal is forbidden',
      async (objectLockMode) => {
        const bucket = await owner.makeBucket('locking')
        const storage = await open(bucket, { objectLockMode, objectLockDays: 1, partSizeMiB: 5 })
        expect(storage.capabilities.objectLock).toBe(true)
        for (const content of [bytes, large]) {
          await storage.put(key, content)
          await expectPortRejection('forbidden', () => storage.remove(key))
          await expectContent(storage, content)
        }
        expect((await owner.versions(bucket)).filter(({ isMarker }) => isMarker)).toEqual([])
      },
    )

    it('removes what is not locked', async () => {
      const bucket = await owner.makeBucket('locking')
      await (await open(bucket)).put(key, bytes)
      const storage = await open(bucket, { objectLockDays: 1 })
      await storage.remove(key)
      await expectPortRejection('not-found', () => storage.get(key))
      expect(await owner.versions(bucket)).toEqual([])
    })

    it('is made where it is told to', async () => {
      const configuration = { createBucket: true, objectLockDays: 1 }
      const storage = await open('new-locking-bucket', configuration, server.owner, 'create')
      await storage.put(key, bytes)
      await expectPortRejection('forbidden', () => storage.remove(key))
    })
  })

  describe('keys that may do less', () => {
    async function openAsGuest(...actions: string[]): Promise<{ guest: Storage; storage: Storage }> {
      const bucket = await owner.makeBucket()
      const Resource = [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`]
      const Principal = { AWS: ['arn:aws:iam:::user/guest'] }
      const Action = actions.map((action) => `s3:${action}`)
      await owner.setPolicy(bucket, {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal, Action, Resource }],
      })
      return { guest: await open(bucket, {}, server.guest), storage: await open(bucket) }
    }

    it('cannot remove where they may not, and do all else', async () => {
      const { guest } = await openAsGuest('ListBucket', 'GetObject', 'PutObject')
      await guest.put(key, bytes)
      await guest.put(key, later)
      await expectPortRejection('already-exists', () => guest.put(key, bytes, { ifAbsent: true }))
      await expectPortRejection('forbidden', () => guest.remove(key))
      await expectContent(guest, later)
      const seen: string[] = []
      for await (const object of guest.list('packs/')) seen.push(object.key)
      expect(seen).toEqual([key])
    })

    it('cannot write where they may only read', async () => {
      const { guest, storage } = await openAsGuest('ListBucket', 'GetObject')
      await storage.put(key, bytes)
      await expectPortRejection('forbidden', () => guest.put(key, later))
      await expectPortRejection('forbidden', () => guest.put('new', large))
      await expectPortRejection('forbidden', () => guest.put('new', bytes, { ifAbsent: true }))
      await expectPortRejection('forbidden', () => guest.remove(key))
      await expectContent(guest, bytes)
    })

    it('cannot read where they may only list', async () => {
      const { guest, storage } = await openAsGuest('ListBucket')
      await storage.put(key, bytes)
      await expectPortRejection('forbidden', () => guest.get(key))
      await expectPortRejection('forbidden', () => guest.stat(key))
    })
  })
})

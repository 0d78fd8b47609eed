import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { BucketOwner } from '../../plugins/storage-s3/src/testing/bucket-owner.js'
import { openBucket } from '../../plugins/storage-s3/src/testing/open-bucket.js'
import { Overheard } from '../support/overheard.js'
import { makeRandomTree } from '../support/random-tree.js'
import { expectSameTree } from '../support/same-tree.js'
import { noise } from '../support/torture-tree.js'
import type { S3Keys, S3Server } from './support/s3-server.js'
import { hasServer } from './support/servers.js'
import { startSwift } from './support/swift.js'
import { Workstation } from './support/workstation.js'

// What Swift lacks, and whole runs in spite of it. It knows no conditional put and no locks.

vi.setConfig({ testTimeout: 400_000 })

const passphrase = 'a passphrase of the runs to Swift'
const key = 'packs/ab/object'
const bytes = randomLikeBytes(10_000)
const large = randomLikeBytes(22_000_000)

describe.runIf(hasServer('swift'))('OpenStack Swift', () => {
  let server: S3Server
  let owner: BucketOwner
  let bucket: string
  const opened: Storage[] = []

  beforeAll(async () => {
    server = await startSwift()
    owner = new BucketOwner(server.endpoint, server.owner)
    bucket = await owner.makeBucket()
  })
  afterAll(async () => {
    for (const storage of opened) await storage.close()
    owner?.close()
    await server?.stop()
  })

  async function open(
    place: string,
    configuration: Readonly<Record<string, unknown>> = {},
    { accessKeyId, secretAccessKey }: S3Keys = server.owner,
  ): Promise<Storage> {
    const options = { endpoint: server.endpoint, accessKeyId, ...configuration }
    const storage = await openBucket({ url: `s3://${place}`, secretAccessKey, configuration: options })
    opened.push(storage)
    return storage
  }

  it('tells wrong keys, a user who may do nothing and a missing bucket apart', async () => {
    await expectPortRejection('auth', () => open(bucket, {}, { ...server.owner, secretAccessKey: 'something-else' }))
    await expectPortRejection('auth', () => open(bucket, {}, { ...server.owner, accessKeyId: 'bkp:nobody' }))
    await expectPortRejection('forbidden', () => open(bucket, {}, server.guest))
    await expectPortRejection('not-found', () => open('missing-bucket'))
  })

  it('takes large objects in parts, and none is left when it is stopped', async () => {
    const storage = await open(`${bucket}/parts`, { partSizeMiB: 5 })
    await storage.put(key, large)
    expect(Buffer.compare(await storage.get(key), large)).toBe(0)
    expect(await storage.stat(key)).toEqual({ key, sizeBytes: large.length })
    const middle = await storage.get(key, { offset: 5_242_870, length: 20 })
    expect(Buffer.compare(middle, large.subarray(5_242_870, 5_242_890))).toBe(0)
    const controller = new AbortController()
    const stopped = storage.put('packs/ab/stopped', large, { signal: controller.signal })
    setImmediate(() => controller.abort(new Error('stopped')))
    await expect(stopped).rejects.toThrow('stopped')
    await expectPortRejection('not-found', () => storage.get('packs/ab/stopped'))
    expect(await owner.unfinishedUploads(bucket)).toBe(0)
  })

  it.each(['crc32', 'sha256', 'md5', 'none'])('takes checksums=%s, and says where it cannot', async (checksums) => {
    const storage = await open(`${bucket}/${checksums}`, { checksums, partSizeMiB: 5 })
    await storage.put('whole', bytes)
    expect(Buffer.compare(await storage.get('whole'), bytes)).toBe(0)
    if (checksums === 'crc32' || checksums === 'sha256') {
      const hint = expect.stringContaining('checksums=md5')
      await expect(storage.put('parts', large)).rejects.toMatchObject({ code: 'unsupported', hint })
      expect(await owner.unfinishedUploads(bucket)).toBe(0)
      return
    }
    await storage.put('parts', large)
    expect(Buffer.compare(await storage.get('parts'), large)).toBe(0)
  })

  it('is found to know no conditional put, and looked at before one', async () => {
    const storage = await open(`${bucket}/create`)
    await storage.put(key, bytes, { ifAbsent: true })
    await expectPortRejection('already-exists', () => storage.put(key, large, { ifAbsent: true }))
    expect(Buffer.compare(await storage.get(key), bytes)).toBe(0)
    expect(storage.capabilities.conditionalCreate).toBe(false)
  })

  it('is refused where it is said to know conditional puts, or locks: it would ignore them', async () => {
    const conditional = await open(`${bucket}/sure`, { conditionalCreate: 'yes' })
    await conditional.put(key, bytes, { ifAbsent: true })
    expect(conditional.capabilities.conditionalCreate).toBe(false)
    await expectPortRejection('already-exists', () => conditional.put(key, large, { ifAbsent: true }))
    const locking = await open(`${bucket}/locking`, { objectLockDays: 1 })
    await expectPortRejection('unsupported', () => locking.put(key, bytes))
    expect(await owner.keys(bucket, 'locking/')).toEqual([])
  })

  it('keeps a repository through whole runs, beside a disk', async () => {
    const overheard = new Overheard()
    overheard.confide('passphrase', passphrase)
    overheard.confide('key of the bucket', server.owner.secretAccessKey)
    const url = `s3://${bucket}/runs?endpoint=${server.endpoint}`
    const user = new Workstation(overheard, { SWIFT: `'${url}'` })
    const env = {
      BKP_PASSWORD: passphrase,
      AWS_ACCESS_KEY_ID: server.owner.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.owner.secretAccessKey,
    }
    try {
      const source = user.at('source')
      makeRandomTree(source, 20_261_124)
      mkdirSync(join(source, 'photos'))
      for (let n = 0; n < 40; n++) writeFileSync(join(source, 'photos', `${n}.jpg`), noise(1_000_000, n + 1))
      await overheard.init(() => user.type('bkp init --to SWIFT', { env }))
      // The descriptor must not be replaced: there is a repository already.
      await user.type('bkp init --to SWIFT', { env, code: 11 })
      await user.type('bkp backup --to SWIFT ~/source', { env })
      writeFileSync(join(source, 'later'), noise(3_000_000, 77))
      await user.type('bkp backup --to SWIFT ~/source', { env })
      await user.type('bkp check --from SWIFT --read-data', { env })
      await user.type('bkp sync --from SWIFT --to ~/disk', { env })
      await user.type('bkp check --from ~/disk --read-data', { env })
      await user.type('bkp restore latest --from SWIFT --target ~/restored', { env })
      expectSameTree(source, join(user.at('restored'), source))
      const [pack = ''] = await owner.keys(bucket, 'runs/packs/')
      await owner.flipBit(bucket, pack)
      await user.type('bkp check --from SWIFT --read-data', { env, code: 13 })
      await user.type('bkp check --from SWIFT --heal-from ~/disk --read-data', { env })
      await user.type('bkp check --from SWIFT --read-data', { env })
      overheard.expectNoLeaks()
    } finally {
      user.remove()
    }
  })
})

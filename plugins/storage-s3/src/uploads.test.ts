import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type Fault, fail, type Seen } from './testing/fake-s3.js'
import { withFake } from './testing/with-fake.js'

const key = 'packs/ab/object'
const large = randomLikeBytes(22_000_000)
const small = { partSizeMiB: 5 }
const reason = new Error('the user pressed Ctrl-C')
const isPart = ({ method, query }: Seen) => method === 'PUT' && query.has('partNumber')
const isCompletion = ({ method, query }: Seen) => method === 'POST' && query.has('uploadId')
const isCleanup = ({ method, query }: Seen) => method === 'DELETE' && query.has('uploadId')

describe('a large put', () => {
  it('goes in parts, which make the object', () =>
    withFake(small, async ({ server, storage }) => {
      await storage.put(key, large)
      expect(server.seen.filter(isPart)).toHaveLength(5)
      expect(Buffer.compare(await storage.get(key), large)).toBe(0)
      expect(server.uploads.size).toBe(0)
    }))

  it('goes in one request up to twice the size of a part, and when it must not replace', () =>
    withFake(small, async ({ server, storage }) => {
      await storage.put(key, large.subarray(0, 10 * 1024 * 1024))
      await storage.put('new', large, { ifAbsent: true })
      expect(server.seen.filter(({ method }) => method === 'PUT').map(({ path }) => path)).toEqual([
        `place/${key}`,
        'place/new',
      ])
      expect(server.seen.filter(isPart)).toEqual([])
    }))

  it.each([
    ['a part', (seen: Seen) => isPart(seen) && seen.query.get('partNumber') === '3'],
    ['the completion', isCompletion],
  ])('of which %s fails leaves neither object nor parts', (_name, isFailing) =>
    withFake(small, async ({ server, storage }) => {
      server.fail((seen, answer) => (isFailing(seen) ? fail(500, 'InternalError')(seen, answer) : undefined))
      await expectPortRejection('transient', () => storage.put(key, large))
      expect(server.objects.size).toBe(0)
      expect(server.uploads.size).toBe(0)
      expect(server.seen.filter(isCleanup)).toHaveLength(1)
    }),
  )

  it('is not stored when the completion fails behind an answer that began well', () =>
    withFake(small, async ({ server, storage }) => {
      server.fail((seen, answer) => (isCompletion(seen) ? fail(200, 'InternalError')(seen, answer) : undefined))
      await expectPortRejection('transient', () => storage.put(key, large))
      expect(server.uploads.size).toBe(0)
    }))

  it('says which checksums to take when the server cannot read those of the parts', () =>
    withFake({ ...small, checksums: 'crc32' }, async ({ server, storage }) => {
      server.fail((seen, answer) => (isCompletion(seen) ? fail(400, 'MalformedXML')(seen, answer) : undefined))
      await expect(storage.put(key, large)).rejects.toMatchObject({
        code: 'unsupported',
        hint: expect.stringContaining('checksums=md5'),
      })
      expect(server.uploads.size).toBe(0)
    }))

  it('that is stopped ends with the reason, and its parts are removed', () =>
    withFake(small, async ({ server, storage }) => {
      const controller = new AbortController()
      server.fail((seen, answer) => {
        if (!isPart(seen) || seen.query.get('partNumber') !== '4') return undefined
        controller.abort(reason)
        return answer.destroy()
      })
      await expect(storage.put(key, large, { signal: controller.signal })).rejects.toBe(reason)
      expect(server.objects.size).toBe(0)
      expect(server.uploads.size).toBe(0)
    }))

  it('that is stopped before the server has named it is removed all the same', () =>
    withFake(small, async ({ server, storage }) => {
      const controller = new AbortController()
      server.fail(({ query }) => {
        if (query.has('uploads')) controller.abort(reason)
      })
      await expect(storage.put(key, large, { signal: controller.signal })).rejects.toBe(reason)
      expect(server.seen.filter(isPart)).toEqual([])
      expect(server.uploads.size).toBe(0)
    }))

  it('warns of parts that could not be removed, and fails for its own reason', () =>
    withFake(small, async ({ server, storage, warnings }) => {
      server.fail((seen, answer) => {
        if (isPart(seen)) return fail(507, 'InsufficientStorage')(seen, answer)
        return isCleanup(seen) ? fail(403, 'AccessDenied')(seen, answer) : undefined
      })
      await expectPortRejection('quota', () => storage.put(key, large))
      expect(warnings).toHaveLength(1)
      expect(warnings[0]).toContain('AccessDenied')
    }))
})

describe('a server that does not know conditional writes', () => {
  const refuse: Fault = (seen, answer) =>
    seen.headers['if-none-match'] === undefined ? undefined : fail(501, 'NotImplemented')(seen, answer)

  it.each(['auto', 'yes'])('is looked at before a write, and the storage says so (%s)', (conditionalCreate) =>
    withFake({ conditionalCreate }, async ({ server, storage }) => {
      server.fail(refuse)
      await storage.put(key, large.subarray(0, 10), { ifAbsent: true })
      expect(storage.capabilities.conditionalCreate).toBe(false)
      await expectPortRejection('already-exists', () => storage.put(key, large.subarray(0, 20), { ifAbsent: true }))
      expect(server.objects.get(`place/${key}`)).toHaveLength(10)
      expect(server.seen.filter(({ headers }) => headers['if-none-match'] !== undefined)).toHaveLength(1)
    }),
  )

  it('and is said to be so is not asked', () =>
    withFake({ conditionalCreate: 'no' }, async ({ server, storage }) => {
      expect(storage.capabilities.conditionalCreate).toBe(false)
      await storage.put(key, large.subarray(0, 10), { ifAbsent: true })
      await expectPortRejection('already-exists', () => storage.put(key, large.subarray(0, 20), { ifAbsent: true }))
      expect(server.seen.filter(({ headers }) => headers['if-none-match'] !== undefined)).toEqual([])
    }))

  it('is not believed where it may ignore the condition', () =>
    withFake({}, async ({ server, storage }) => {
      server.fail(({ headers }) => void delete headers['if-none-match'])
      expect(storage.capabilities.conditionalCreate).toBe(false)
      await storage.put(key, large.subarray(0, 10), { ifAbsent: true })
      await expectPortRejection('already-exists', () => storage.put(key, large.subarray(0, 20), { ifAbsent: true }))
      expect(server.objects.get(`place/${key}`)).toHaveLength(10)
    }))
})

describe('a new object', () => {
  it('is given class, encryption and lock', () =>
    withFake(
      {
        ...small,
        storageClass: 'STANDARD_IA',
        serverSideEncryption: 'aws:kms',
        kmsKeyId: 'the-key',
        objectLockMode: 'COMPLIANCE',
        objectLockDays: 2,
      },
      async ({ server, storage }) => {
        expect(storage.capabilities.objectLock).toBe(true)
        await storage.put(key, large.subarray(0, 10))
        await storage.put(key, large)
        const began = server.seen.filter(({ method, query }) => method === 'POST' && query.has('uploads'))
        for (const { headers } of [...server.seen.filter(({ method }) => method === 'PUT').slice(0, 1), ...began]) {
          expect(headers).toMatchObject({
            'x-amz-storage-class': 'STANDARD_IA',
            'x-amz-server-side-encryption': 'aws:kms',
            'x-amz-server-side-encryption-aws-kms-key-id': 'the-key',
            'x-amz-object-lock-mode': 'COMPLIANCE',
          })
          const until = Date.parse(String(headers['x-amz-object-lock-retain-until-date']))
          expect(Math.abs(until - Date.now() - 2 * 86_400_000)).toBeLessThan(60_000)
        }
        expect(began).toHaveLength(1)
        expect(server.seen.find(({ method }) => method === 'PUT')?.headers['content-md5']).toBeDefined()
      },
    ))
})

describe('a server that stalls', () => {
  it.each(['put', 'get', 'stat', 'remove', 'list'] as const)('is left when the signal comes: %s', (name) =>
    withFake({}, async ({ server, storage }) => {
      const controller = new AbortController()
      const { signal } = controller
      server.fail((_seen: Seen, answer: ServerResponse) => {
        answer.writeHead(200, { 'content-length': 100 }).write('half')
        controller.abort(reason)
      })
      const call = {
        put: () => storage.put(key, large.subarray(0, 10), { signal }),
        get: () => storage.get(key, { signal }),
        stat: () => storage.stat(key, { signal }),
        remove: () => storage.remove(key, { signal }),
        list: () => storage.list('', { signal })[Symbol.asyncIterator]().next(),
      }[name]
      await expect(call()).rejects.toBe(reason)
    }),
  )
})

describe('many calls', () => {
  it('share few connections, warn of nothing, and closing ends them', async () => {
    const warnings: unknown[] = []
    const listen = (warning: unknown) => void warnings.push(warning)
    process.on('warning', listen)
    try {
      await withFake({ concurrency: 3 }, async ({ server, storage }) => {
        const { signal } = new AbortController()
        const keys = Array.from({ length: 40 }, (_, n) => `packs/${n}`)
        await Promise.all(keys.map((name) => storage.put(name, large.subarray(0, 10_000), { signal })))
        await Promise.all(keys.map((name) => storage.get(name, { signal })))
        const open = await server.connections()
        expect(open).toBeGreaterThan(0)
        expect(open).toBeLessThanOrEqual(3 + 4)
        await storage.close()
        await storage.close()
        while ((await server.connections()) > 0) await sleep(5)
      })
    } finally {
      process.off('warning', listen)
    }
    // Neither the SDK's word on Node 20, nor too many listeners.
    expect(warnings).toEqual([])
  })
})

import { inspect } from 'node:util'
import { isPortError, type Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { FakeS3, type Fault, fail } from './testing/fake-s3.js'
import { fakeSecret, openFake, withFake } from './testing/with-fake.js'

const bytes = randomLikeBytes(100_000)
const key = 'packs/ab/object'
const html: Fault = (_, answer) => answer.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad <b>Gateway')

const calls: Readonly<Record<string, (storage: Storage) => Promise<unknown>>> = {
  put: (storage) => storage.put(key, bytes),
  create: (storage) => storage.put(key, bytes, { ifAbsent: true }),
  get: (storage) => storage.get(key),
  stat: (storage) => storage.stat(key),
  list: async (storage) => {
    for await (const object of storage.list('')) expect(object.key).toBe(key)
  },
  remove: (storage) => storage.remove(key),
}

describe('what a server answers', () => {
  const region = '<Region>eu-west-3</Region>'
  it.each([
    ['InvalidAccessKeyId', fail(403, 'InvalidAccessKeyId'), { code: 'auth' }],
    ['SignatureDoesNotMatch', fail(403, 'SignatureDoesNotMatch'), { code: 'auth' }],
    ['ExpiredToken', fail(400, 'ExpiredToken'), { code: 'auth' }],
    ['AccessDenied', fail(403, 'AccessDenied'), { code: 'forbidden' }],
    [
      'RequestTimeTooSkewed',
      fail(403, 'RequestTimeTooSkewed'),
      { code: 'config', hint: expect.stringMatching('clock') },
    ],
    ['a region', fail(400, 'AuthorizationHeaderMalformed', region), { code: 'config', hint: /region=eu-west-3/ }],
    ['a redirect', fail(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'eu-west-3' }), { code: 'config' }],
    ['NoSuchBucket', fail(404, 'NoSuchBucket'), { code: 'not-found' }],
    ['SlowDown', fail(503, 'SlowDown', '', { 'retry-after': '7' }), { code: 'throttled', retryAfterMs: 7000 }],
    ['429', fail(429, 'TooManyRequests'), { code: 'throttled' }],
    ['InternalError', fail(500, 'InternalError'), { code: 'transient' }],
    ['507', fail(507, 'InsufficientStorage'), { code: 'quota' }],
    ['a page of a proxy', html, { code: 'transient' }],
  ] as const)('%s means the same for every call', async (_name, fault, expected) => {
    for (const [name, call] of Object.entries(calls)) {
      await withFake({}, async ({ server, storage }) => {
        server.fail(fault)
        const error = await call(storage).catch((thrown: unknown) => thrown)
        expect(isPortError(error), `${name}: ${error}`).toBe(true)
        const { hint, ...rest } = expected as { hint?: unknown }
        // An answer to HEAD has no body: what is in it comes from a second look.
        expect(error, name).toMatchObject(rest)
        if (hint instanceof RegExp) expect((error as { hint?: string }).hint).toMatch(hint)
      })
    }
  })

  it.each([
    ['QuotaExceeded', fail(403, 'QuotaExceeded'), 'quota'],
    ['XMinioStorageFull', fail(507, 'XMinioStorageFull'), 'quota'],
    ['EntityTooLarge', fail(400, 'EntityTooLarge'), 'unsupported'],
    ['ConditionalRequestConflict', fail(409, 'ConditionalRequestConflict'), 'transient'],
    ['RequestTimeout', fail(400, 'RequestTimeout'), 'transient'],
    ['a method that is not allowed', fail(405, 'MethodNotAllowed'), 'unsupported'],
  ] as const)('%s means %3$s for a put', (_name, fault, code) =>
    withFake({}, async ({ server, storage }) => {
      server.fail(fault)
      await expectPortRejection(code, () => storage.put(key, bytes))
    }),
  )

  it('with a signature that is wrong is repeated without what was signed', () =>
    withFake({}, async ({ server, storage }) => {
      const request = '<CanonicalRequest>x-amz-security-token:the-token</CanonicalRequest>'
      server.fail(fail(403, 'SignatureDoesNotMatch', request))
      const error = await storage.put(key, bytes).catch((thrown: unknown) => thrown)
      const shown = inspect(error, { depth: 20, showHidden: true, getters: true })
      expect(shown).toContain('SignatureDoesNotMatch')
      expect(shown).not.toContain('the-token')
      expect(shown).not.toContain(fakeSecret)
      expect(shown).not.toContain('AWS4-HMAC')
    }))

  it('when a large put is refused early is heard', () =>
    withFake({}, async ({ server, storage }) => {
      server.fail(fail(403, 'AccessDenied'))
      await expectPortRejection('forbidden', () => storage.put(key, randomLikeBytes(20_000_000)))
    }))
})

describe('opening', () => {
  it.each([
    ['NoSuchBucket', fail(404, 'NoSuchBucket'), { code: 'not-found', hint: expect.stringContaining('bucket') }],
    ['InvalidAccessKeyId', fail(403, 'InvalidAccessKeyId'), { code: 'auth', hint: expect.any(String) }],
    ['AccessDenied', fail(403, 'AccessDenied'), { code: 'forbidden', hint: expect.any(String) }],
    ['a page of a proxy', html, { code: 'transient' }],
    ['a page in place of a list', ((_, answer) => answer.end('<html>')) as Fault, { code: 'transient' }],
  ])('tells what is wrong: %s', async (_name, fault, expected) => {
    const server = await new FakeS3().start()
    try {
      server.fail(fault)
      await expect(openFake(server)).rejects.toMatchObject(expected)
    } finally {
      await server.stop()
    }
  })

  it('is offline where nobody listens', async () => {
    const server = await new FakeS3().start()
    const { endpoint } = server
    await server.stop()
    await expect(openFake({ endpoint } as FakeS3)).rejects.toMatchObject({
      code: 'offline',
      message: expect.stringContaining('s3://bucket/place'),
    })
  })
})

describe('bytes that are damaged on the way up', () => {
  const damaged: Fault = ({ method, body }) => {
    if (method === 'PUT') body[5] = (body[5] ?? 0) ^ 1
  }

  it.each(['crc32', 'sha256', 'md5', 'none'])('are refused by the server, with checksums=%s', (checksums) =>
    withFake({ checksums, partSizeMiB: 5 }, async ({ server, storage }) => {
      for (const data of [bytes, randomLikeBytes(11_000_000)]) {
        server.fail(damaged)
        await expectPortRejection('transient', () => storage.put(key, data))
        expect(server.objects.size).toBe(0)
        expect(server.uploads.size).toBe(0)
        server.fail()
        await storage.put(key, data)
        expect(Buffer.compare(server.objects.get(`place/${key}`) ?? Buffer.alloc(0), data)).toBe(0)
        server.objects.clear()
      }
    }),
  )
})

describe('what is read', () => {
  const lies: readonly (readonly [string, Fault, string])[] = [
    [
      'ends early',
      (_, answer) => answer.writeHead(200, { 'content-length': 9 }).write('12345', () => answer.destroy()),
      'transient',
    ],
    [
      'begins elsewhere',
      (_, answer) => answer.writeHead(206, { 'content-range': 'bytes 0-8/9' }).end('123456789'),
      'unsupported',
    ],
    [
      'is more than its range',
      (_, answer) => answer.writeHead(206, { 'content-range': 'bytes 1-2/9' }).end('123456789'),
      'transient',
    ],
    [
      'is less than its range',
      (_, answer) => answer.writeHead(206, { 'content-range': 'bytes 1-5/9' }).end('12'),
      'transient',
    ],
    ['is all in place of a range', (_, answer) => answer.writeHead(200).end('123456789'), 'unsupported'],
  ]

  it.each(lies)('is never short or wrong: a body that %s', (_name, lie, code) =>
    withFake({}, async ({ server, storage }) => {
      server.fail(lie)
      const range = code === 'transient' && _name === 'ends early' ? {} : { offset: 1 }
      await expectPortRejection(code as 'transient', () => storage.get(key, range))
    }),
  )
})

describe('a list', () => {
  it('goes over pages, without what is no object of ours', () =>
    withFake({}, async ({ server, storage }) => {
      server.pageSize = 2
      for (const name of ['a', 'b/', 'c d', 'e', 'f/g', 'h//i', 'z'])
        server.objects.set(`place/${name}`, Buffer.from('x'))
      server.objects.set('place-2/a', Buffer.from('x'))
      const seen: string[] = []
      for await (const { key: found } of storage.list('')) seen.push(found)
      expect(seen).toEqual(['a', 'e', 'f/g', 'z'])
    }))

  it('that says there is more and does not give it is an error', () =>
    withFake({}, async ({ server, storage }) => {
      const page = '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>'
      server.fail((_, answer) => answer.setHeader('content-type', 'application/xml').end(page))
      await expectPortRejection('unsupported', async () => {
        for await (const object of storage.list('')) expect(object).toBeUndefined()
      })
    }))
})

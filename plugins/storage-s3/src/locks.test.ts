import { describe, expect, it } from 'vitest'
import { type Fault, fail } from './testing/fake-s3.js'
import { withFake } from './testing/with-fake.js'

const bytes = Buffer.from('something')
const locked = { objectLockDays: 2 }

/** What a server answers that does not know the question: a list of the bucket, as to any other. */
const list: Fault = ({ query }, answer) => {
  if (query.has('object-lock')) answer.end('<ListBucketResult><Name>bucket</Name></ListBucketResult>')
}
const answering =
  (fault: Fault): Fault =>
  (seen, answer) =>
    seen.query.has('object-lock') ? fault(seen, answer) : undefined

describe('objects that shall be locked', () => {
  it.each<[string, Fault]>([
    ['made without locks', answering(fail(404, 'ObjectLockConfigurationNotFoundError'))],
    ['of a server that says that it knows none', answering(fail(501, 'NotImplemented'))],
    ['of a server that does not even know the question', list],
  ])('are not stored in a bucket %s, and what is there can be read', (_name, fault) =>
    withFake(locked, async ({ server, storage }) => {
      server.objects.set('place/bkp.json', bytes)
      server.fail(fault)
      for (const ifAbsent of [false, true]) {
        await expect(storage.put('packs/ab/one', bytes, { ifAbsent })).rejects.toMatchObject({
          code: 'unsupported',
          message: expect.stringContaining('s3://bucket/place cannot lock objects'),
          hint: expect.stringContaining('objectLockDays'),
        })
      }
      expect([...server.objects.keys()]).toEqual(['place/bkp.json'])
      expect(Buffer.from(await storage.get('bkp.json'))).toEqual(bytes)
    }),
  )

  it('are stored where the key may not ask', () =>
    withFake(locked, async ({ server, storage }) => {
      server.fail(answering(fail(403, 'AccessDenied')))
      await storage.put('packs/ab/one', bytes)
      expect([...server.objects.keys()]).toEqual(['place/packs/ab/one'])
    }))

  it('are asked about once, and again after a question that failed', () =>
    withFake(locked, async ({ server, storage }) => {
      server.fail(answering(fail(503, 'SlowDown')))
      await expect(storage.put('packs/ab/one', bytes)).rejects.toMatchObject({ code: 'throttled' })
      server.fail()
      for (const key of ['packs/ab/one', 'packs/ab/two']) await storage.put(key, bytes)
      expect(server.seen.filter(({ query }) => query.has('object-lock'))).toHaveLength(2)
      expect(server.objects.size).toBe(2)
    }))

  it('are not asked about where none shall be locked', () =>
    withFake({}, async ({ server, storage }) => {
      await storage.put('packs/ab/one', bytes)
      expect(server.seen.filter(({ query }) => query.has('object-lock'))).toHaveLength(0)
    }))
})

import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type Intercept, withFake } from './testing/fake-webdav.js'

const key = 'packs/ab/object'
const bytes = Buffer.from(randomLikeBytes(700_000))
const onGet =
  (answer: (...args: Parameters<Intercept>) => void): Intercept =>
  (request, response) => {
    if (request.method !== 'GET') return false
    answer(request, response)
    return true
  }

async function reads(answer: Intercept, range: { offset?: number; length?: number }): Promise<Uint8Array> {
  let read: Uint8Array = new Uint8Array(0)
  await withFake(async (fake) => {
    const storage = await fake.open()
    await storage.put(key, bytes)
    fake.intercept = answer
    read = await storage.get(key, range)
  })
  return read
}

describe('a server', () => {
  it.each([
    ['that ignores ranges', onGet((_, response) => response.end(bytes))],
    [
      'that ignores ranges and does not tell the length',
      onGet((_, response) => {
        response.write(bytes.subarray(0, 1000))
        response.end(bytes.subarray(1000))
      }),
    ],
    [
      'that does not tell the size with a range',
      onGet((_, response) => {
        response.writeHead(206, { 'Content-Range': 'bytes 1000-50999/*' }).end(bytes.subarray(1000, 51_000))
      }),
    ],
  ])('%s gives the right bytes all the same', async (_name, answer) => {
    const read = await reads(answer, { offset: 1000, length: 50_000 })
    expect(Buffer.compare(read, bytes.subarray(1000, 51_000))).toBe(0)
  })

  it('that ignores ranges is not believed behind the end', async () => {
    const answer = onGet((_, response) => response.end(bytes))
    await expectPortRejection('range-invalid', () => reads(answer, { offset: bytes.length - 10, length: 11 }))
    expect(await reads(answer, { offset: bytes.length })).toHaveLength(0)
  })

  it.each([
    ['is cut off', 'transient', 200, { 'Content-Length': bytes.length }, bytes.length - 1],
    ['ends early without a length', 'transient', 200, {}, bytes.length - 1],
    ['is another range', 'unsupported', 206, { 'Content-Range': `bytes 1-700/${bytes.length}` }, 700],
    ['is a shorter range', 'transient', 206, { 'Content-Range': `bytes 0-699/${bytes.length}` }, 700],
    ['says nothing of its range', 'unsupported', 206, {}, 700],
    ['is packed', 'unsupported', 200, { 'Content-Encoding': 'gzip' }, 700],
  ] as const)('whose answer %s never passes', async (_name, code, status, headers, sent) => {
    const answer = onGet((_, response) => {
      response.writeHead(status, headers)
      response.write(bytes.subarray(0, sent), () => {
        if ('Content-Length' in headers) response.destroy()
        else response.end()
      })
    })
    await expectPortRejection(code, () => reads(answer, status === 206 ? { offset: 0, length: 1000 } : {}))
  })

  it('that breaks off an answer in chunks is transient', async () => {
    const answer = onGet((_, response) => {
      response.write(bytes.subarray(0, 1000), () => response.destroy())
    })
    await expectPortRejection('transient', () => reads(answer, {}))
  })

  it('that says 416 is asked for the size where it does not tell it', async () => {
    const answer = onGet((_, response) => response.writeHead(416).end())
    expect(await reads(answer, { offset: bytes.length })).toHaveLength(0)
    await expectPortRejection('range-invalid', () => reads(answer, { offset: bytes.length + 1 }))
  })

  it('leads to a folder by a redirect, which is no object', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put(key, bytes)
      fake.intercept = onGet(({ path }, response) => response.writeHead(301, { Location: `${path}/` }).end())
      await expectPortRejection('not-found', () => storage.get('packs/ab'))
    }))
})

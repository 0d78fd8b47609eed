import { expectPortRejection } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { withFake } from './testing/fake-webdav.js'
import { listed } from './testing/outcomes.js'

const keys = ['bkp.json', 'index/a', 'packs/ab/one', 'packs/ab/two', 'packs/cd/three'].sort()

describe('a list', () => {
  it.each<readonly [string, (path: string) => string]>([
    ['paths', (path) => encodeURI(path)],
    ['URLs', (path) => `http://127.0.0.1${encodeURI(path)}`],
    ['URLs of another host', (path) => `https://inside.example:8443${encodeURI(path)}`],
    ['paths below another prefix', (path) => `/behind/the/proxy${encodeURI(path)}`],
    ['paths with everything encoded', (path) => path.replace(/[^/]/g, (one) => `%${one.charCodeAt(0).toString(16)}`)],
    ['paths without a slash behind folders', (path) => (path === '/' ? path : encodeURI(path).replace(/\/$/, ''))],
    ['paths with space around', (path) => `\n  ${encodeURI(path)}\n`],
  ])('is right when the server answers with %s', (_name, hrefOf) =>
    withFake(async (fake) => {
      const storage = await fake.open()
      for (const key of keys) await storage.put(key, Buffer.from(key))
      fake.hrefOf = hrefOf
      expect(await listed(storage)).toEqual(keys)
      expect(await listed(storage, 'packs/a')).toEqual(['packs/ab/one', 'packs/ab/two'])
      expect((await storage.stat('index/a')).sizeBytes).toBe(7)
      expect(await listed(await fake.open())).toEqual(keys)
    }),
  )

  it('never asks without end, and shows neither temporary files nor names that are no keys', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      for (const key of keys) await storage.put(key, Buffer.from(key))
      for (const name of ['@tmp/x', 'a b', 'ä', '.hidden', '@tmp2']) fake.files.set(`/r/${name}`, Buffer.from('x'))
      expect(await listed(storage)).toEqual(keys)
      expect(fake.seen.filter(({ headers }) => headers.depth === 'infinity')).toEqual([])
    }))

  it.each([
    ['is cut off', (text: string) => text.slice(0, -30)],
    ['is empty', () => ''],
    ['is no XML', () => 'not at all'],
  ])('is transient when the answer %s', (_name, spoil) =>
    withFake(async (fake) => {
      const storage = await fake.open()
      for (const key of keys) await storage.put(key, Buffer.from(key))
      fake.intercept = ({ headers }, response) => {
        if (headers.depth !== '1') return false
        const text = '<D:multistatus xmlns:D="DAV:"><D:response><D:href>/r/</D:href></D:response></D:multistatus>'
        response.writeHead(207).end(spoil(text))
        return true
      }
      await expectPortRejection('transient', () => listed(storage))
    }),
  )

  it('asks for sizes that the server keeps to itself', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('index/a', Buffer.from('seven b'))
      fake.tellsSizes = false
      const objects = []
      for await (const object of storage.list('')) objects.push(object)
      expect(objects).toEqual([{ key: 'index/a', sizeBytes: 7 }])
    }))

  it('leaves out what vanished while the server looked', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      fake.intercept = ({ headers }, response) => {
        if (headers.depth !== '1') return false
        response.writeHead(207).end(`<multistatus xmlns="DAV:">
          <response><href>/r/</href><propstat><prop><resourcetype><collection/></resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>
          <response><href>/r/gone</href><status>HTTP/1.1 404 Not Found</status></response>
          <response><href>/r/there</href><propstat><prop><resourcetype/><getcontentlength>3</getcontentlength></prop><status>HTTP/1.1 200 OK</status></propstat></response>
        </multistatus>`)
        return true
      }
      expect(await listed(storage)).toEqual(['there'])
    }))
})

import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { ann, withFake } from './testing/fake-webdav.js'
import { failureOf, listed } from './testing/outcomes.js'

const small = Buffer.from('small')

describe('a refusal', () => {
  it.each([
    [423, 'transient', /locked/],
    [507, 'quota', /Free space/],
    [413, 'quota', /client_max_body_size/],
    [403, 'forbidden', /account/],
    [429, 'throttled', undefined],
    [503, 'throttled', undefined],
    [500, 'transient', undefined],
    [502, 'transient', undefined],
    [501, 'unsupported', /method/],
  ] as const)('of status %i to a put is %s, says what to do, and shows no secret', (status, code, hint) =>
    withFake(async (fake) => {
      const storage = await fake.open(ann)
      fake.intercept = ({ method, headers }, response) => {
        if (method !== 'PUT') return false
        // Some servers and proxies repeat the request in their error page.
        response.writeHead(status, { 'Retry-After': '7' }).end(JSON.stringify(headers))
        return true
      }
      const failure = await failureOf(() => storage.put('index/one', small))
      expect(failure.code).toBe(code)
      expect(failure.message).toContain('index/one')
      expect(failure.retryAfterMs).toBe(7000)
      if (hint !== undefined) expect(failure.hint).toMatch(hint)
      const everything = inspect(failure, { depth: 10, showHidden: true })
      expect(everything).not.toContain(ann.password.reveal())
      expect(everything).not.toContain(Buffer.from(`ann:${ann.password.reveal()}`).toString('base64'))
      fake.intercept = () => false
      expect(await listed(storage)).toEqual([])
    }),
  )

  it('that comes while a large body would be sent is told, and the body is not sent', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      await storage.put('index/one', small)
      fake.intercept = ({ method }, response) => {
        if (method !== 'PUT') return false
        response.writeHead(413, { Connection: 'close' }).end()
        return true
      }
      const failure = await failureOf(() => storage.put('packs/aa/large', new Uint8Array(50_000_000)))
      expect(failure.code).toBe('quota')
    }))

  it('to be asked first is taken as it is meant', () =>
    withFake(async (fake) => {
      const storage = await fake.open()
      fake.intercept = ({ headers }, response) => {
        if (headers.expect === undefined) return false
        response.writeHead(417).end()
        return true
      }
      const large = new Uint8Array(3_000_000).fill(7)
      await storage.put('packs/aa/large', large)
      expect(Buffer.compare(await storage.get('packs/aa/large'), large)).toBe(0)
    }))

  it.each([301, 302, 307, 308])('by the redirect %i is config and says where to; nothing follows it', (status) =>
    withFake(async (fake) => {
      fake.intercept = (_, response) => {
        response.writeHead(status, { Location: 'https://elsewhere.example/r/?token=x' }).end()
        return true
      }
      const failure = await failureOf(() => fake.open(ann))
      expect(failure.code).toBe('config')
      expect(failure.message).toContain('https://elsewhere.example/r/')
      expect(failure.hint).toContain('webdavs://elsewhere.example/r/')
      expect(failure.message).not.toContain('token')
    }),
  )

  it('of a web server that knows no WebDAV is told as such', () =>
    withFake(async (fake) => {
      fake.intercept = (_, response) => {
        response.end('<html>welcome</html>')
        return true
      }
      const failure = await failureOf(() => fake.open())
      expect([failure.code, failure.message.includes('no WebDAV')]).toEqual(['config', true])
    }))
})

it('tells the clock of the server', () =>
  withFake(async (fake) => {
    const storage = await fake.open()
    expect(Math.abs(((await storage.now?.()) ?? 0) - Date.now())).toBeLessThan(5000)
  }))

describe('a server that', () => {
  it('nobody started is offline', async () => {
    let url = ''
    await withFake(async (fake) => {
      url = fake.url
    })
    const { openWebdavStorage } = await import('./open.js')
    const log = { debug: () => undefined, info: () => undefined, warn: () => undefined }
    const failure = await failureOf(() => openWebdavStorage({ url, configuration: {}, intent: 'open', log }))
    expect(failure.code).toBe('offline')
  })

  it('closes connections without a word is transient', () =>
    withFake(async (fake) => {
      const storage = await fake.open(ann)
      fake.intercept = (_, response) => {
        response.socket?.destroy()
        return true
      }
      for (const call of [() => storage.put('a', small), () => storage.get('a'), () => listed(storage)]) {
        expect((await failureOf(call)).code).toBe('transient')
      }
    }))
})

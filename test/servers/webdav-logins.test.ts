import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { isPortError, type PortError, Secret } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startApache } from './support/apache.js'
import { type Authority, makeAuthority } from './support/certificates.js'
import { hasServer } from './support/servers.js'
import type { WebServer } from './support/web-server.js'
import { describeWebdav, openWebdav } from './support/webdav.js'

const username = 'ann'
// Not Latin-1, and with a colon.
const password = 'zwölf:€uro '.concat(randomBytes(6).toString('hex'))
const login = { username, password: new Secret(password) }

async function failureOf(action: () => Promise<unknown>): Promise<PortError> {
  try {
    await action()
  } catch (error) {
    if (isPortError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe.runIf(hasServer('apache'))('logins to Apache', () => {
  let authority: Authority
  beforeAll(() => {
    authority = makeAuthority()
  })
  afterAll(() => authority.remove())

  describe.each(['basic', 'digest'] as const)('by %s', (scheme) => {
    let server: WebServer
    beforeAll(async () => {
      server = await startApache({ login: { scheme, username, password } })
    })
    afterAll(() => server.stop())
    const url = () => `webdav://127.0.0.1:${server.port}/r`

    it.each(['auto', scheme])('works when the option is %s, for many calls at once', async (authentication) => {
      const storage = await openWebdav(url(), { ...login, authentication }, 'create')
      try {
        const bytes = randomLikeBytes(1_500_000)
        const keys = Array.from({ length: 24 }, (_, n) => `packs/${authentication}/${n}`)
        await Promise.all(keys.map((key) => storage.put(key, bytes)))
        const read = await Promise.all(keys.map((key) => storage.get(key)))
        for (const one of read) expect(Buffer.compare(one, bytes)).toBe(0)
      } finally {
        await storage.close()
      }
    })

    it('takes the user name from the URL', async () => {
      const named = url().replace('//', `//${username}@`)
      const storage = await openWebdav(named, { password: login.password }, 'create')
      await storage.put('index/named', Buffer.from('x'))
      await storage.close()
    })

    it('says auth with the user and without the password when that is wrong', async () => {
      const wrong = { username, password: new Secret(`wrong-${password}`) }
      const failure = await failureOf(() => openWebdav(url(), wrong, 'create'))
      expect(failure.code).toBe('auth')
      expect(failure.message).toContain(username)
      expect(failure.hint).toContain('BKP_WEBDAV_PASSWORD')
      const everything = inspect(failure, { depth: 10, showHidden: true })
      const encoded = Buffer.from(`${username}:wrong-${password}`).toString('base64')
      for (const secret of [password, encoded]) expect(everything).not.toContain(secret)
    })

    it('says auth to whoever has no user name', async () => {
      await expectPortRejection('auth', () => openWebdav(url(), {}, 'create'))
    })
  })

  describe('by digest, when the nonce grows old', () => {
    let server: WebServer
    beforeAll(async () => {
      server = await startApache({
        login: { scheme: 'digest', username, password },
        directives: 'AuthDigestNonceLifetime 1',
      })
    })
    afterAll(() => server.stop())

    it('goes on with a new one, also with many calls and large bodies at once', async () => {
      const storage = await openWebdav(`webdav://127.0.0.1:${server.port}/r`, login, 'create')
      const bytes = randomLikeBytes(2_000_000)
      try {
        const until = Date.now() + 2500
        for (let round = 0; Date.now() < until; round++) {
          await Promise.all([0, 1, 2, 3, 4, 5].map((n) => storage.put(`packs/${round}/${n}`, bytes)))
          expect(Buffer.compare(await storage.get(`packs/${round}/3`), bytes)).toBe(0)
        }
      } finally {
        await storage.close()
      }
    })
  })

  describe('by TLS with an authority of its own', () => {
    let server: WebServer
    beforeAll(async () => {
      server = await startApache({ certificate: authority.server, login: { scheme: 'basic', username, password } })
    })
    afterAll(() => server.stop())
    const url = (host = '127.0.0.1') => `webdavs://${host}:${server.port}/r`

    it('is refused as config, with the option to set, while the authority is not named', async () => {
      const failure = await failureOf(() => openWebdav(url(), login, 'create'))
      expect(failure.code).toBe('config')
      expect(failure.hint).toContain('ca=')
    })

    it('stores and reads large objects when it is named', async () => {
      const storage = await openWebdav(url('localhost'), { ...login, ca: authority.ca }, 'create')
      const bytes = randomLikeBytes(20_000_000)
      await storage.put('packs/aa/large', bytes)
      const into = new Uint8Array(bytes.length)
      expect(await storage.get('packs/aa/large', { into })).toBe(into)
      expect(Buffer.compare(into, bytes)).toBe(0)
      await storage.close()
    })

    it('says config when the file of the authority is missing, or none', async () => {
      await expectPortRejection('config', () => openWebdav(url(), { ...login, ca: '/nowhere/ca.pem' }))
      const none = join(server.documents, 'none.pem')
      writeFileSync(none, 'no certificate')
      await expectPortRejection('config', () => openWebdav(url(), { ...login, ca: none }))
    })

    it('is told apart from a server without TLS', async () => {
      const failure = await failureOf(() => openWebdav(url().replace('webdavs', 'webdav'), login))
      expect(['config', 'transient']).toContain(failure.code)
    })
  })

  describe('by digest and TLS at once', () => {
    let server: WebServer
    beforeAll(async () => {
      server = await startApache({ certificate: authority.server, login: { scheme: 'digest', username, password } })
    })
    afterAll(() => server.stop())

    describeWebdav('Apache by digest and TLS', {
      server: () => server,
      scheme: 'webdavs',
      configuration: () => ({ ...login, ca: authority.ca }),
    })
  })
})

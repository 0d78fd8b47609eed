import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { expectRefusal, keysOf, withB2 } from './open.js'

const bytes = randomLikeBytes(200_000)
const busy = { status: 503, code: 'service_unavailable', message: 'no tomes available' }

describe('an upload', () => {
  it('uses one URL again and again, and as many as there are uploads at once', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      for (let n = 0; n < 5; n++) await storage.put(`index/${n}`, bytes)
      expect(standIn.callsOf('b2_get_upload_url')).toBe(1)
      await Promise.all(Array.from({ length: 6 }, (_, n) => storage.put(`packs/ab/${n}`, bytes)))
      expect(standIn.callsOf('b2_get_upload_url')).toBeLessThanOrEqual(6)
      expect(standIn.names()).toHaveLength(11)
    }))

  it.each([
    ['503', busy],
    ['500', { status: 500, code: 'internal_error' }],
    ['408', { status: 408, code: 'request_timeout' }],
    ['an expired token', { status: 401, code: 'expired_auth_token' }],
    ['a token that is not known', { status: 401, code: 'bad_auth_token' }],
    ['a token that is busy', { status: 400, code: 'auth_token_limit' }],
    ['a connection that breaks', 'break'],
    ['a connection that breaks when all is stored', 'break-after'],
  ] as const)('goes on with another URL after %s, four times, and gives up at the fifth', (_name, fault) =>
    withB2(async (standIn, open) => {
      const storage = await open()
      standIn.failNext('b2_upload_file', fault, 4)
      await storage.put('packs/ab/one', bytes)
      expect(Buffer.compare(await storage.get('packs/ab/one'), bytes)).toBe(0)
      expect(standIn.callsOf('b2_get_upload_url')).toBe(5)
      standIn.failNext('b2_upload_file', fault, 5)
      await expect(storage.put('packs/ab/two', bytes)).rejects.toMatchObject({ name: 'PortError' })
      expect(standIn.callsOf('b2_upload_file')).toBe(10)
      await storage.put('packs/ab/two', bytes)
      expect(await keysOf(storage)).toEqual(['packs/ab/one', 'packs/ab/two'])
    }),
  )

  it('that never finds a pod is throttled, and one that is told to wait waits', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      standIn.failNext('b2_upload_file', busy, 5)
      await expectRefusal('throttled', /packs\/ab\/one.*no tomes available/, () => storage.put('packs/ab/one', bytes))
      for (const status of [429, 503]) {
        standIn.failNext('b2_upload_file', { status, code: 'too_many_requests', retryAfter: 7 })
        const error = await expectRefusal('throttled', /packs\/ab\/one/, () => storage.put('packs/ab/one', bytes))
        expect(error.retryAfterMs).toBe(7000)
      }
      expect(standIn.callsOf('b2_upload_file')).toBe(7)
    }))

  it('survives a storm of 503 on upload URLs', () =>
    withB2(async (standIn, open) => {
      const storage = await open({ configuration: { testMode: 'fail_some_uploads' } })
      await Promise.all(Array.from({ length: 60 }, (_, n) => storage.put(`packs/ab/${n}`, bytes.subarray(n))))
      expect(standIn.callsOf('b2_upload_file')).toBeGreaterThan(80)
      for (let n = 0; n < 60; n++) expect(standIn.versionsOf(`backup/packs/ab/${n}`)).toHaveLength(1)
    }))

  it('throws URLs away that are older than B2 takes them', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      standIn.expireUploadUrls()
      await storage.put('packs/ab/two', bytes)
      expect(standIn.callsOf('b2_get_upload_url')).toBe(2)
    }))

  it('tells the token to nobody, whatever B2 says of it', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      standIn.failNext('b2_upload_file', {
        status: 400,
        code: 'bad_request',
        message: 'Sha1 did not match data received',
      })
      await expectRefusal('transient', /Sha1/, () => storage.put('packs/ab/one', bytes))
      for (const fault of ['break', { status: 400, code: 'auth_token_limit' }] as const) {
        standIn.failNext('b2_upload_file', fault, 5)
        const error = await storage.put('packs/ab/one', bytes).catch((thrown: unknown) => thrown)
        const shown = inspect(error, { depth: 20, showHidden: true })
        expect(shown).not.toMatch(/_upld|_acct|authorization|K005/i)
      }
    }))
})

describe('the token of the account', () => {
  it('is renewed once for all calls, and they are repeated', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      for (let n = 0; n < 8; n++) await storage.put(`packs/ab/${n}`, bytes)
      standIn.expireTokens()
      await Promise.all([
        ...Array.from({ length: 8 }, (_, n) => storage.get(`packs/ab/${n}`)),
        ...Array.from({ length: 8 }, (_, n) => storage.stat(`packs/ab/${n}`)),
        storage.put('packs/ab/more', bytes),
      ])
      expect(standIn.callsOf('b2_authorize_account')).toBe(2)
      standIn.advance(25 * 60 * 60_000)
      expect(await keysOf(storage)).toHaveLength(9)
      await storage.put('packs/ab/yet-more', bytes)
      expect(standIn.callsOf('b2_authorize_account')).toBe(3)
    }))

  it('that is refused again and again is an error of sign-in', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      standIn.failNext('b2_list_file_names', { status: 401, code: 'expired_auth_token' }, 10)
      await expectRefusal('auth', /Cannot list b2:\/\/bkp-test\/backup/, () => keysOf(storage))
    }))

  it('is renewed for others also when the call that found it expired is stopped', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      standIn.expireTokens()
      const stopping = new AbortController()
      const stopped = storage.get('packs/ab/one', { signal: stopping.signal }).catch((error: unknown) => error)
      const other = storage.get('packs/ab/one')
      stopping.abort(new Error('enough'))
      expect(await stopped).toMatchObject({ message: 'enough' })
      expect(await other).toHaveLength(bytes.length)
    }))
})

describe('caps and limits of the account', () => {
  it.each([
    ['storage', { storageBytes: 100_000 }],
    ['transactions', { transactions: 0 }],
    ['downloads', { downloadBytes: 1000 }],
  ] as const)('on %s are a quota, with a word on where to raise them', (name, caps) =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      standIn.setCaps(caps)
      const limited: Record<typeof name, () => Promise<unknown>> = {
        storage: () => storage.put('packs/ab/two', bytes),
        transactions: () => storage.stat('packs/ab/one'),
        downloads: () => storage.get('packs/ab/one'),
      }
      await expectRefusal('quota', /packs\/ab\/.*cap.*Caps & Alerts/s, limited[name])
      standIn.setCaps({})
      await limited[name]()
    }),
  )

  it('are a quota in the test mode of B2', () =>
    withB2(async (_standIn, open) => {
      const storage = await open({ configuration: { testMode: 'force_cap_exceeded' } })
      await expectRefusal('quota', /Caps & Alerts/, () => storage.put('packs/ab/one', bytes))
    }))

  it.each([
    [400, 'bad_request', 'config'],
    [403, 'access_denied', 'forbidden'],
    [401, 'unauthorized', 'forbidden'],
    [401, 'no_payment_history', 'forbidden'],
    [429, 'too_many_requests', 'throttled'],
    [500, 'internal_error', 'transient'],
    [503, 'service_unavailable', 'throttled'],
  ] as const)('answers of %i %s are %s', (status, code, expected) =>
    withB2(async (standIn, open) => {
      const storage = await open()
      standIn.failNext('b2_list_file_names', { status, code, message: 'in words of B2' })
      await expectRefusal(expected, /in words of B2/, () => keysOf(storage))
    }),
  )
})

describe('a download', () => {
  it('that breaks in the middle is transient, and never short', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      for (const range of [{}, { offset: 10, length: 100_000 }, { into: new Uint8Array(bytes.length) }]) {
        standIn.failNext('b2_download_file_by_name', 'break-in-body')
        await expectRefusal('transient', /Cannot read packs\/ab\/one/, () => storage.get('packs/ab/one', range))
      }
      expect(Buffer.compare(await storage.get('packs/ab/one'), bytes)).toBe(0)
    }))

  it('that stalls ends when its signal says so', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      for (const call of ['b2_download_file_by_name', 'b2_list_file_names', 'b2_upload_file'])
        standIn.failNext(call, 'stall')
      const stopping = new AbortController()
      const { signal } = stopping
      const calls = [
        storage.get('packs/ab/one', { signal }),
        storage.list('', { signal })[Symbol.asyncIterator]().next(),
        storage.put('packs/ab/two', bytes, { signal }),
      ].map((call) => call.catch((error: unknown) => error))
      await sleep(50)
      const reason = new Error('enough')
      stopping.abort(reason)
      for (const call of calls) expect(await call).toBe(reason)
      expect(await keysOf(storage)).toEqual(['packs/ab/one'])
    }))

  it('reads into the memory that it is given', () =>
    withB2(async (_standIn, open) => {
      const storage = await open()
      await storage.put('packs/ab/one', bytes)
      const into = new Uint8Array(1000)
      expect(await storage.get('packs/ab/one', { offset: 5, length: 1000, into })).toBe(into)
      expect(Buffer.compare(into, bytes.subarray(5, 1005))).toBe(0)
    }))
})

describe('connections', () => {
  it('stay open from call to call', () =>
    withB2(async (standIn, open) => {
      const storage = await open()
      for (let n = 0; n < 10; n++) {
        await storage.put(`index/${n}`, bytes, { ifAbsent: true })
        await storage.get(`index/${n}`)
        await storage.stat(`index/${n}`)
      }
      await storage.remove('index/1')
      // Two, since a call may begin just before the connection of the last one is free.
      expect(standIn.connections).toBeLessThanOrEqual(2)
    }))
})

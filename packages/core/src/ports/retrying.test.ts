import { PortError, type PortErrorCode, portErrorCodes, type Storage } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection, type Fault, FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { mayBeUsedAgain } from '../memory-in-doubt.js'
import { StorageMeter } from './metrics.js'
import type { RetryPolicy } from './retry.js'
import { defaultRetryPolicy, RetryingStorage, type RetryNotice } from './retrying.js'
import { ManualTiming } from './testing/manual-timing.js'

const policy: RetryPolicy = { ...defaultRetryPolicy, retries: 3, firstDelayMs: 1, maxDelayMs: 4 }
const bytes = Buffer.from('an object')
const passing: readonly PortErrorCode[] = ['transient', 'throttled', 'offline']
const calls = {
  put: (storage: RetryingStorage) => storage.put('new', bytes),
  get: (storage: RetryingStorage) => storage.get('old'),
  stat: (storage: RetryingStorage) => storage.stat('old'),
  remove: (storage: RetryingStorage) => storage.remove('old'),
  list: (storage: RetryingStorage) => keysOf(storage),
} as const
const kinds = Object.keys(calls) as (keyof typeof calls)[]

async function keysOf(storage: RetryingStorage): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list('')) keys.push(key)
  return keys
}

async function retryingOver(...faults: Fault[]) {
  const inner = new InMemoryStorage()
  for (const key of ['old', 'older', 'oldest']) await inner.put(key, bytes)
  const faulty = new FaultyStorage(inner, faults)
  return { inner, faulty, storage: new RetryingStorage(faulty, { policy }) }
}

const failure = (
  call: keyof typeof calls,
  code: PortErrorCode,
  numbers?: readonly number[],
  moment: 'before' | 'after' = 'before',
): Fault => ({
  kind: 'failure',
  call,
  moment,
  error: new PortError(code, `failure of ${call}`),
  when: numbers === undefined ? { kind: 'every' } : { kind: 'numbers', numbers },
})

describeStorage('retrying, over one that fails now and then', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    // Failing puts have tests of their own below: after one, the same bytes of another writer count as stored.
    const faults = kinds.slice(1).map((call, n): Fault => {
      const when = { kind: 'random', probability: 0.1, seed: n + 1 } as const
      const moment = call === 'get' || call === 'list' ? 'after' : 'before'
      return { kind: 'failure', call, moment, error: new PortError('transient', 'x'), when }
    })
    const patient = { policy: { ...policy, retries: 12, firstDelayMs: 0, maxDelayMs: 0 } }
    const reopen = async () => new RetryingStorage(new FaultyStorage(new InMemoryStorage({ objects }), faults), patient)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('RetryingStorage', () => {
  it.each(kinds.flatMap((call) => passing.map((code) => [call, code] as const)))(
    'repeats %s after %s until it succeeds',
    async (call, code) => {
      const { faulty, storage } = await retryingOver(failure(call, code, [1, 2, 3]))
      await calls[call](storage)
      expect(faulty.callsOf(call)).toBe(4)
    },
  )

  it.each(kinds)('gives up on %s after as many retries as it was told, with the last error as it was', async (call) => {
    const { faulty, storage } = await retryingOver(failure(call, 'offline'))
    await expect(calls[call](storage)).rejects.toMatchObject({ code: 'offline', message: `failure of ${call}` })
    expect(faulty.callsOf(call)).toBe(1 + policy.retries)
  })

  it.each(portErrorCodes.filter((code) => !passing.includes(code)))(
    'does not repeat what failed as %s',
    async (code) => {
      for (const call of kinds) {
        const { faulty, storage } = await retryingOver(failure(call, code))
        await expectPortRejection(code, () => calls[call](storage))
        expect(faulty.callsOf(call)).toBe(1)
      }
    },
  )

  it('does not repeat what is no failure of the port, but a bug', async () => {
    const { inner } = await retryingOver()
    let attempts = 0
    inner.get = async () => {
      attempts++
      throw new RangeError('a bug')
    }
    await expect(new RetryingStorage(inner, { policy }).get('old')).rejects.toThrow(new RangeError('a bug'))
    expect(attempts).toBe(1)
  })

  it('waits as long as the far side asks, beyond its own delays', async () => {
    const error = new PortError('throttled', 'slow down', { retryAfterMs: 150 })
    const { storage } = await retryingOver({
      kind: 'failure',
      call: 'get',
      moment: 'before',
      error,
      when: { kind: 'numbers', numbers: [1] },
    })
    const start = performance.now()
    await storage.get('old')
    expect(performance.now() - start).toBeGreaterThanOrEqual(145)
  })

  it.each([undefined, 60_000])(
    'stops waiting with the reason of the signal, when asked to wait %s ms',
    async (asked) => {
      const error = new PortError('throttled', 'slow down', asked === undefined ? {} : { retryAfterMs: asked })
      const when = { kind: 'every' } as const
      const faulty = new FaultyStorage(new InMemoryStorage(), [
        { kind: 'failure', call: 'get', moment: 'before', error, when },
      ])
      const storage = new RetryingStorage(faulty, {
        policy: { ...policy, firstDelayMs: 60_000, maxDelayMs: 60_000 },
      })
      const controller = new AbortController()
      const reason = new Error('the user pressed Ctrl-C')
      setTimeout(() => controller.abort(reason), 30)
      await expect(storage.get('old', { signal: controller.signal })).rejects.toBe(reason)
      expect(faulty.callsOf('get')).toBe(1)
    },
  )

  describe('in time', () => {
    const fails = (error: PortError): Fault => ({
      kind: 'failure',
      call: 'get',
      moment: 'before',
      error,
      when: { kind: 'every' },
    })

    function timed(error: PortError, changes: Partial<RetryPolicy> = {}, random = () => 0) {
      const timing = new ManualTiming()
      const notices: RetryNotice[] = []
      const meter = new StorageMeter()
      const faulty = new FaultyStorage(new InMemoryStorage(), [fails(error)])
      const onRetry = (notice: RetryNotice) => notices.push(notice)
      const parts = { policy: { ...defaultRetryPolicy, ...changes }, timing, random, meter, onRetry }
      return { timing, notices, meter, faulty, storage: new RetryingStorage(faulty, parts) }
    }
    const delaysOf = (notices: readonly RetryNotice[]) => notices.map(({ delayMs }) => delayMs / 1000)

    it('doubles its delays up to the longest, tells each before it waits, and counts them', async () => {
      const error = new PortError('offline', 'no route to nas')
      const { timing, notices, meter, storage } = timed(error)
      await expect(timing.finish(storage.get('old'))).rejects.toMatchObject({ code: 'offline' })
      expect(delaysOf(notices)).toEqual([1, 2, 4, 8, 16, 30, 30])
      expect(notices[0]).toMatchObject({
        call: 'get',
        subject: 'old',
        retriesLeft: 7,
        error: { message: error.message },
      })
      expect(meter.snapshot()).toMatchObject({ retries: 7, retrySeconds: 91 })
    })

    it('takes a random part of up to a half off each', async () => {
      const { timing, notices, storage } = timed(new PortError('transient', 'x'), { retries: 3 }, () => 0.5)
      await expect(timing.finish(storage.get('old'))).rejects.toThrow('x')
      expect(delaysOf(notices)).toEqual([0.75, 1.5, 3])
    })

    it('obeys no far side that asks for hours, and gives up when its patience is at its end', async () => {
      const { timing, notices, faulty, storage } = timed(new PortError('throttled', 'x', { retryAfterMs: 7_200_000 }))
      await expect(timing.finish(storage.get('old'))).rejects.toMatchObject({ code: 'throttled' })
      expect(delaysOf(notices)).toEqual([60, 60])
      expect(faulty.callsOf('get')).toBe(3)
    })

    it('counts the time of slow attempts after the first failure, so that a dead one is found dead', async () => {
      const timing = new ManualTiming()
      const notices: RetryNotice[] = []
      const slow = new InMemoryStorage()
      slow.get = async () => {
        await timing.wait(60_000)
        throw new PortError('transient', 'stalled')
      }
      const parts = { timing, random: () => 0, onRetry: (notice: RetryNotice) => notices.push(notice) }
      const began = timing.now()
      await expect(timing.finish(new RetryingStorage(slow, parts).get('old'))).rejects.toThrow('stalled')
      expect(delaysOf(notices)).toEqual([1, 2])
      expect(timing.now() - began).toBeLessThan(190_000)
    })
  })

  it.each(kinds)('begins no attempt of %s and tells nobody once it is closed', async (call) => {
    const notices: RetryNotice[] = []
    const { faulty } = await retryingOver(failure(call, 'transient'))
    const storage = new RetryingStorage(faulty, { policy, onRetry: (notice) => notices.push(notice) })
    const running = calls[call](storage)
    await Promise.all([storage.close(), expect(running).rejects.toThrow(`failure of ${call}`)])
    expect(faulty.callsOf(call)).toBe(1)
    expect(notices).toEqual([])
  })

  it('ends what waits for another attempt with its failure when it is closed', async () => {
    const timing = new ManualTiming()
    const { faulty } = await retryingOver(failure('get', 'transient'))
    for (const signal of [new AbortController().signal, undefined]) {
      const storage = new RetryingStorage(faulty, { timing })
      const running = storage.get('old', signal === undefined ? {} : { signal })
      running.catch(() => undefined)
      await timing.advance(0)
      expect(timing.waiting).toBe(1)
      await storage.close()
      await expect(running).rejects.toThrow('failure of get')
      expect(timing.waiting).toBe(0)
    }
  })

  it('tells of a success also when the signal comes at the same time', async () => {
    const { inner } = await retryingOver()
    const controller = new AbortController()
    const put = inner.put.bind(inner)
    inner.put = async (key, data) => {
      await put(key, data)
      controller.abort(new Error('the user pressed Ctrl-C'))
    }
    const storage = new RetryingStorage(inner, { policy })
    await expect(storage.put('new', bytes, { signal: controller.signal })).resolves.toBeUndefined()
  })

  describe('a put that must not replace', () => {
    it('succeeds when it was stored and only the answer was lost', async () => {
      const { inner, storage } = await retryingOver(failure('put', 'transient', [1], 'after'))
      await storage.put('bkp.json', bytes, { ifAbsent: true })
      expect(Buffer.compare(await inner.get('bkp.json'), bytes)).toBe(0)
    })

    it('also when looking whose it is fails at first', async () => {
      const { faulty, storage } = await retryingOver(
        failure('put', 'transient', [1], 'after'),
        failure('get', 'offline', [1]),
      )
      await storage.put('bkp.json', bytes, { ifAbsent: true })
      expect(faulty.callsOf('get')).toBe(2)
    })

    it('is refused when another was faster while it failed', async () => {
      const { inner, storage } = await retryingOver(failure('put', 'transient', [1]))
      await inner.put('bkp.json', Buffer.from('of another'))
      await expectPortRejection('already-exists', () => storage.put('bkp.json', bytes, { ifAbsent: true }))
      expect(Buffer.from(await inner.get('bkp.json')).toString()).toBe('of another')
    })

    it('takes the same bytes of another writer for its own after it failed', async () => {
      const { inner, storage } = await retryingOver(failure('put', 'transient', [1]))
      await inner.put('bkp.json', bytes)
      await expect(storage.put('bkp.json', bytes, { ifAbsent: true })).resolves.toBeUndefined()
    })

    it('is refused at once when the same bytes were there before', async () => {
      const { faulty, storage } = await retryingOver()
      await expectPortRejection('already-exists', () => storage.put('old', bytes, { ifAbsent: true }))
      expect([faulty.callsOf('put'), faulty.callsOf('get')]).toEqual([1, 0])
    })
  })

  describe('a put where nothing may be replaced', () => {
    const denying = (inner: Storage) => {
      const put = inner.put.bind(inner)
      inner.put = async (key, data, options) => {
        const isThere = await inner.stat(key).then(
          () => true,
          () => false,
        )
        if (isThere) throw new PortError('forbidden', `${key} must not be replaced`)
        await put(key, data, options)
      }
    }

    it('succeeds when it was stored and only the answer was lost', async () => {
      const { inner, storage } = await retryingOver(failure('put', 'transient', [1], 'after'))
      denying(inner)
      await storage.put('packs/new', bytes)
      expect(Buffer.compare(await inner.get('packs/new'), bytes)).toBe(0)
    })

    it('is refused when there is something else, or nothing', async () => {
      const { inner, storage } = await retryingOver(failure('put', 'transient', [1, 3]))
      denying(inner)
      await expectPortRejection('forbidden', () => storage.put('old', Buffer.from('of another')))
      inner.put = async (key) => {
        throw new PortError('forbidden', `${key} must not be written`)
      }
      await expectPortRejection('forbidden', () => storage.put('packs/new', bytes))
    })
  })

  describe('a list', () => {
    it('that breaks in the middle is begun again, and gives nothing twice', async () => {
      const { faulty, storage } = await retryingOver(failure('list', 'transient', [1, 2], 'after'))
      expect(await keysOf(storage)).toEqual(['old', 'older', 'oldest'])
      expect(faulty.callsOf('list')).toBe(3)
    })

    it('that is left early lets go of the one below', async () => {
      const { inner } = await retryingOver()
      let isFreed = false
      inner.list = async function* () {
        try {
          for (const key of ['a', 'b']) yield { key, sizeBytes: 1 }
        } finally {
          isFreed = true
        }
      }
      for await (const { key } of new RetryingStorage(inner, { policy }).list('')) {
        expect(key).toBe('a')
        break
      }
      expect(isFreed).toBe(true)
    })
  })

  it('passes on what the storage can do, and closes it', async () => {
    const { inner, storage } = await retryingOver()
    let isClosed = false
    inner.close = async () => {
      isClosed = true
    }
    expect(storage.capabilities).toBe(inner.capabilities)
    await storage.close()
    expect(isClosed).toBe(true)
  })
})

describe('memory that was given to put', () => {
  it.each([
    ['may be used again once it is stored', [], true],
    ['may not when an attempt failed, which may still be sending', [failure('put', 'transient', [1])], false],
    ['may not when all attempts failed', [failure('put', 'transient')], false],
  ] as const)('%s', async (_what, faults, isFree) => {
    const { storage } = await retryingOver(...faults)
    const memory = new Uint8Array(100)
    await storage.put('new', memory).catch((error: unknown) => expect(error).toMatchObject({ code: 'transient' }))
    expect(mayBeUsedAgain(memory.buffer)).toBe(isFree)
  })
})

describe('a put whose answer was lost, where nothing may be replaced', () => {
  const lost = new PortError('transient', 'the connection was cut')
  const forbidden = new PortError('forbidden', 'these credentials may not replace objects')
  const refusing = (isStored: boolean) => {
    const inner = new InMemoryStorage()
    const put = inner.put.bind(inner)
    let attempts = 0
    inner.put = async (...call) => {
      if (++attempts > 1) throw forbidden
      if (isStored) await put(...call)
      throw lost
    }
    return new RetryingStorage(inner, { policy })
  }

  it('has stored what is there', async () => {
    const storage = refusing(true)
    await storage.put('new', bytes)
    expect(Buffer.from(await storage.get('new'))).toEqual(bytes)
  })

  it('fails for the reason of the refusal when nothing is there', async () => {
    await expect(refusing(false).put('new', bytes)).rejects.toBe(forbidden)
  })
})

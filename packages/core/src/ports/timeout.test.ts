import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GetOptions } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it, vi } from 'vitest'
import { GatedStorage } from './testing/gated-storage.js'
import { ManualTiming } from './testing/manual-timing.js'
import { defaultTimeLimits, type TimeLimits, TimeoutStorage } from './timeout.js'
import { systemTiming } from './timing.js'

const limits: TimeLimits = { baseMs: 1000, minBytesPerSecond: 100, abortMs: 300, closeMs: 500 }
const reason = new Error('the user pressed Ctrl-C')
const never = new Promise<never>(() => {})

describeStorage('with a time limit', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const parts = { limits: defaultTimeLimits, timing: systemTiming }
    const reopen = async () => new TimeoutStorage(new InMemoryStorage({ objects }), parts)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

function stuck() {
  const inner = new GatedStorage()
  const timing = new ManualTiming()
  return { inner, timing, storage: new TimeoutStorage(inner, { limits, timing }) }
}

/** How far a promise is, without waiting for it. */
function watch(running: Promise<unknown>): { outcome: unknown } {
  const watched: { outcome: unknown } = { outcome: 'running' }
  running.then(
    () => {
      watched.outcome = 'done'
    },
    (error) => {
      watched.outcome = error
    },
  )
  return watched
}

describe('TimeoutStorage', () => {
  it.each([
    ['a put', (storage: TimeoutStorage) => storage.put('new', new Uint8Array(200)), 3000],
    ['a get of known length', (storage: TimeoutStorage) => storage.get('old', { length: 100 }), 2000],
    ['a get into memory', (storage: TimeoutStorage) => storage.get('old', { into: new Uint8Array(300) }), 4000],
  ])('gives %s time for its bytes, then aborts it as transient without waiting for it', async (_, call, limitMs) => {
    const { inner, timing, storage } = stuck()
    const running = watch(call(storage))
    await timing.advance(limitMs - 1)
    expect(running.outcome).toBe('running')
    expect(inner.signals[0]?.aborted).toBe(false)
    await timing.advance(1)
    expect(running.outcome).toMatchObject({
      code: 'transient',
      message: expect.stringContaining(`${limitMs / 1000} s`),
    })
    expect(inner.signals[0]?.aborted).toBe(true)
    inner.letGo()
    await nextTurn()
  })

  it('gives a whole pack of unknown size the time of the largest, and other objects less', async () => {
    for (const [key, largest] of [
      ['packs/ab/abcd', 64 * 1024 * 1024],
      ['bkp.json', 4 * 1024 * 1024],
    ] as const) {
      const { timing, storage } = stuck()
      watch(storage.get(key))
      await nextTurn()
      expect(timing.waits).toEqual([1000 + largest * 10])
    }
  })

  it('reads from a local storage by pieces, so that it needs little memory of its own', async () => {
    const sizeBytes = 9.5 * 1024 * 1024
    const old = Uint8Array.from({ length: sizeBytes }, (_, n) => n >> 8)
    const inner = new InMemoryStorage({ objects: new Map([['old', old]]), capabilities: { isLocal: true } })
    const get = vi.spyOn(inner, 'get')
    const storage = new TimeoutStorage(inner, { limits, timing: new ManualTiming() })
    const into = new Uint8Array(sizeBytes - 7)
    expect(await storage.get('old', { offset: 7, into })).toBe(into)
    expect(Buffer.compare(into, old.subarray(7))).toBe(0)
    expect(get.mock.calls.map(([, range]) => [range?.offset, range?.length])).toEqual([
      [7, 4_194_304],
      [7 + 4_194_304, 4_194_304],
      [7 + 8_388_608, sizeBytes - 7 - 8_388_608],
    ])
    expect(new Set(get.mock.calls.slice(0, 2).map(([, range]) => range?.into?.buffer)).size).toBe(1)
  })

  it.each([-5, 5, 100])('leaves it to others that a piece has %i bytes too many', async (extra) => {
    const sizeBytes = 9.5 * 1024 * 1024
    const inner = new InMemoryStorage({ capabilities: { isLocal: true } })
    vi.spyOn(inner, 'get').mockImplementation(async (_, { offset = 0, length = 0 } = {}) =>
      new Uint8Array(offset + length === sizeBytes ? length + extra : length).fill(1),
    )
    const storage = new TimeoutStorage(inner, { limits, timing: new ManualTiming() })
    const bytes = await storage.get('old', { into: new Uint8Array(sizeBytes) })
    expect(bytes).toHaveLength(sizeBytes + extra)
    expect(bytes.every((byte) => byte === 1)).toBe(true)
  })

  it('tells of an object that is shorter than what is wanted', async () => {
    const inner = new InMemoryStorage({
      objects: new Map([['old', new Uint8Array(3 * 1024 * 1024)]]),
      capabilities: { isLocal: true },
    })
    const storage = new TimeoutStorage(inner, { limits, timing: new ManualTiming() })
    const into = new Uint8Array(4 * 1024 * 1024)
    await expectPortRejection('range-invalid', () => storage.get('old', { into }))
  })

  it('lends memory of the caller to a storage that is known to leave it alone after an abort', async () => {
    const inner = new InMemoryStorage({ objects: new Map([['old', new Uint8Array(2 * 1024 * 1024).fill(7)]]) })
    const get = vi.spyOn(inner, 'get')
    const storage = new TimeoutStorage(inner, { limits, timing: new ManualTiming(), leavesMemoryAlone: true })
    const into = new Uint8Array(2 * 1024 * 1024)
    expect(await storage.get('old', { into })).toBe(into)
    expect(get.mock.calls[0]?.[1]?.into).toBe(into)
  })

  it('lends a storage memory for large answers, again only after it has answered in time', async () => {
    const sizeBytes = 2 * 1024 * 1024
    const lent: (Uint8Array | undefined)[] = []
    let answers = true
    class Lender extends InMemoryStorage {
      override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
        lent.push(options.into)
        return answers ? super.get(key, options) : never
      }
    }
    const objects = new Map([['old', new Uint8Array(sizeBytes).fill(7)]])
    const timing = new ManualTiming()
    const storage = new TimeoutStorage(new Lender({ objects, capabilities: { isLocal: false } }), { limits, timing })
    const into = new Uint8Array(sizeBytes)
    for (let n = 0; n < 2; n++) expect(await storage.get('old', { into })).toBe(into)
    expect(into.every((byte) => byte === 7)).toBe(true)
    expect(lent[1]?.buffer).toBe(lent[0]?.buffer)
    expect(lent[0]?.buffer).not.toBe(into.buffer)
    answers = false
    const given = watch(storage.get('old', { into }))
    await timing.advance(30_000_000)
    expect(given.outcome).toMatchObject({ code: 'transient' })
    answers = true
    await storage.get('old', { into })
    expect(lent[2]?.buffer).toBe(lent[0]?.buffer)
    expect(lent[3]?.buffer).not.toBe(lent[0]?.buffer)
  })

  it('does not let a call that was given up write into memory of the caller', async () => {
    const { inner, timing, storage } = stuck()
    await InMemoryStorage.prototype.put.call(inner, 'old', Buffer.from('abc'))
    const into = new Uint8Array(3)
    const running = watch(storage.get('old', { into }))
    await timing.advance(60_000)
    expect(running.outcome).toMatchObject({ code: 'transient' })
    inner.letGo()
    await nextTurn()
    expect([...into]).toEqual([0, 0, 0])
  })

  it('passes the abort of the caller on, and waits only a while for the call to tidy up', async () => {
    const { inner, timing, storage } = stuck()
    const controller = new AbortController()
    const running = watch(storage.put('new', new Uint8Array(1), { signal: controller.signal }))
    await nextTurn()
    controller.abort(reason)
    await timing.advance(299)
    expect(inner.signals[0]).toMatchObject({ aborted: true, reason })
    expect(running.outcome).toBe('running')
    await timing.advance(1)
    expect(running.outcome).toBe(reason)
    inner.letGo()
    await nextTurn()
  })

  it('does not begin when it is aborted before', async () => {
    const { inner, storage } = stuck()
    await expect(storage.get('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(inner.signals).toEqual([])
  })

  it.each(['stat', 'remove'] as const)('limits %s', async (call) => {
    const { inner, timing, storage } = stuck()
    inner[call] = () => never
    const running = watch(storage[call]('old'))
    await timing.advance(1000)
    expect(running.outcome).toMatchObject({ code: 'transient' })
  })

  it('limits a list from one object to the next, however long the whole takes', async () => {
    const { inner, timing, storage } = stuck()
    const signals: (AbortSignal | undefined)[] = []
    inner.list = async function* (_prefix, options) {
      signals.push(options?.signal)
      for (const key of ['a', 'b', 'c']) {
        await timing.wait(900)
        yield { key, sizeBytes: 1 }
      }
      await never
    }
    const keys: string[] = []
    const running = watch(
      (async () => {
        for await (const { key } of storage.list('')) {
          keys.push(key)
          // The time that the taker needs is its own.
          await timing.wait(5000)
        }
      })(),
    )
    await timing.advance(3 * 5900 + 999)
    expect([keys, running.outcome]).toEqual([['a', 'b', 'c'], 'running'])
    await timing.advance(1)
    expect(running.outcome).toMatchObject({ code: 'transient', message: 'Listing everything took longer than 1 s' })
    expect(signals[0]?.aborted).toBe(true)
  })

  it('lets go of a list that is left early, or aborted between two objects', async () => {
    const freed: string[] = []
    const list = async (signal?: AbortController) => {
      const { inner, storage } = stuck()
      inner.list = async function* () {
        try {
          for (const key of ['a', 'b']) yield { key, sizeBytes: 1 }
        } finally {
          freed.push(signal === undefined ? 'left' : 'aborted')
        }
      }
      for await (const _ of storage.list('', signal === undefined ? {} : { signal: signal.signal })) {
        if (signal === undefined) break
        signal.abort(reason)
      }
    }
    await list()
    await expect(list(new AbortController())).rejects.toBe(reason)
    expect(freed).toEqual(['left', 'aborted'])
  })

  it('does not wait for ever to close', async () => {
    const { inner, timing, storage } = stuck()
    inner.close = () => never
    const closing = watch(storage.close())
    await timing.advance(499)
    expect(closing.outcome).toBe('running')
    await timing.advance(1)
    expect(closing.outcome).toBe('done')
  })

  it('leaves no timer behind after a call', async () => {
    const timing = new ManualTiming()
    const storage = new TimeoutStorage(new InMemoryStorage(), { limits, timing })
    await storage.put('a', new Uint8Array(1))
    await expectPortRejection('not-found', () => storage.get('b'))
    await storage.close()
    expect(timing.waiting).toBe(0)
  })
})

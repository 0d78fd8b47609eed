import { setImmediate as nextTurn } from 'node:timers/promises'
import type { GetOptions } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { mayBeUsedAgain } from '../memory-in-doubt.js'
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

  it('tells of an object that is shorter than what is wanted', async () => {
    const inner = new InMemoryStorage({
      objects: new Map([['old', new Uint8Array(3 * 1024 * 1024)]]),
      capabilities: { isLocal: true },
    })
    const storage = new TimeoutStorage(inner, { limits, timing: new ManualTiming() })
    const into = new Uint8Array(4 * 1024 * 1024)
    await expectPortRejection('range-invalid', () => storage.get('old', { into }))
  })

  class Lender extends InMemoryStorage {
    readonly lent: (Uint8Array | undefined)[] = []
    answers = true

    override async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
      this.lent.push(options.into)
      return this.answers ? super.get(key, options) : never
    }
  }
  const lender = () => new Lender({ objects: new Map([['old', Buffer.from('abc')]]) })

  it('lends memory of the caller, and gives none that a call which was given up may still write to', async () => {
    const inner = lender()
    const timing = new ManualTiming()
    const storage = new TimeoutStorage(inner, { limits, timing })
    const into = new Uint8Array(3)
    expect(await storage.get('old', { into })).toBe(into)
    expect(mayBeUsedAgain(into.buffer)).toBe(true)
    inner.answers = false
    const given = watch(storage.get('old', { into }))
    await timing.advance(60_000)
    expect(given.outcome).toMatchObject({ code: 'transient' })
    expect(mayBeUsedAgain(into.buffer)).toBe(false)
    inner.answers = true
    into.fill(0)
    expect(await storage.get('old', { into })).toEqual(new Uint8Array(Buffer.from('abc')))
    expect([...into]).toEqual([0, 0, 0])
    expect(inner.lent).toEqual([into, into, undefined])
  })

  it.each([
    ['that is known to leave it alone', { leavesMemoryAlone: true }, false],
    ['that has failed by itself', {}, true],
  ])('leaves memory to the caller where it was lent to a storage %s', async (_, parts, answers) => {
    const inner = lender()
    inner.answers = answers
    await inner.remove('old')
    const timing = new ManualTiming()
    const storage = new TimeoutStorage(inner, { limits, timing, ...parts })
    const into = new Uint8Array(3)
    const given = watch(storage.get('old', { into }))
    await timing.advance(60_000)
    expect(given.outcome).toHaveProperty('code')
    expect(inner.lent).toEqual([into])
    expect(mayBeUsedAgain(into.buffer)).toBe(true)
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

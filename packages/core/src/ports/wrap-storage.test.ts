import { PortError } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection, FaultyStorage, InMemoryStorage, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { destinationOf } from '../config/destination.js'
import { objectNameOf, packKey } from '../format/ids.js'
import { compose, withConcurrency, withMeter, withRetry, withTimeout } from './compose.js'
import { StorageMeter } from './metrics.js'
import { GatedStorage } from './testing/gated-storage.js'
import { ManualTiming } from './testing/manual-timing.js'
import { defaultTimeLimits } from './timeout.js'
import { systemTiming } from './timing.js'
import { wrapStorage } from './wrap-storage.js'

const bytes = randomLikeBytes(1000)
const key = packKey(objectNameOf(bytes))
const destination = destinationOf('memory:')
/** As of a storage behind a network, with so many transfers at once. */
const network = (concurrency = 4) => ({ capabilities: { isLocal: false, concurrency } })
const transient = (...numbers: number[]) =>
  ({
    kind: 'failure',
    call: 'put',
    moment: 'before',
    error: new PortError('transient', 'x'),
    when: { kind: 'numbers', numbers },
  }) as const

describe('wrapStorage', () => {
  it('holds no place while it waits to try again', async () => {
    const timing = new ManualTiming()
    const raw = new FaultyStorage(new InMemoryStorage(network(1)), [transient(1)])
    const storage = wrapStorage(raw, destination, { timing })
    const first = storage.put('bkp.json', bytes)
    await storage.put(key, bytes)
    await expectPortRejection('not-found', () => storage.stat('bkp.json'))
    await timing.finish(first)
    expect(storage.metrics()).toMatchObject({ retries: 1, calls: { put: { count: 3, failures: 1, bytes: 2000 } } })
  })

  it('does not count waiting for bandwidth as time of the call, and pays for every attempt', async () => {
    const timing = new ManualTiming()
    const limits = { uploadBytesPerSecond: 1 }
    const raw = new FaultyStorage(new InMemoryStorage(network()), [transient(1)])
    const timeLimits = { baseMs: 1000, minBytesPerSecond: 1000, abortMs: 1, closeMs: 1 }
    const storage = wrapStorage(raw, { ...destination, limits }, { timing, timeLimits })
    await timing.finish(storage.put(key, bytes))
    const { limitSeconds, retrySeconds } = storage.metrics()
    expect(limitSeconds + retrySeconds).toBeCloseTo(1000, 0)
  })

  it('gives no place to uploads that wait for bandwidth: downloads may need it', async () => {
    const timing = new ManualTiming()
    const limits = { uploadBytesPerSecond: 1 }
    const raw = new InMemoryStorage(network(1))
    const storage = wrapStorage(raw, { ...destination, limits }, { timing })
    await storage.put(key, bytes)
    const waiting = storage.put(key, bytes)
    expect(await storage.get(key)).toHaveLength(bytes.length)
    await timing.finish(waiting, 60_000)
  })

  it('waits as long as its destination says, and tries again as long', async () => {
    const timing = new ManualTiming()
    const patience = { callSeconds: 2, slowestBytesPerSecond: 1000, retrySeconds: 600 }
    const storage = wrapStorage(new GatedStorage(network()), { ...destination, patience }, { timing })
    const began = timing.now()
    await timing.finish(expectPortRejection('transient', () => storage.put(key, bytes)))
    expect(timing.now() - began).toBeGreaterThan(570_000)
    expect(timing.now() - began).toBeLessThan(606_000)
    const impatient = { ...destination, patience: { ...patience, retrySeconds: 0 } }
    const once = wrapStorage(new GatedStorage(network()), impatient, { timing })
    await timing.finish(expectPortRejection('transient', () => once.put(key, bytes)))
    expect(once.metrics().calls.put).toMatchObject({ count: 1, failures: 1 })
  })

  it('ends an attempt that stalls, and the next one does it', async () => {
    const timing = new ManualTiming()
    const raw = new GatedStorage(network())
    const storage = wrapStorage(raw, destination, { timing })
    const put = storage.put(key, bytes)
    await timing.advance(62_000)
    expect(raw.kept).toHaveLength(2)
    raw.letGo()
    await put
    expect(storage.metrics().calls.put).toMatchObject({ count: 2, failures: 1 })
  })

  it('asks again for what came short, and does not believe damaged bytes', async () => {
    const inner = new InMemoryStorage(network())
    await inner.put(key, bytes)
    const once = (number: number) => ({ kind: 'numbers', numbers: [number] }) as const
    const faults = [
      { kind: 'truncation', missingBytes: 5, when: once(1) },
      { kind: 'bit-flip', bit: 5, when: once(3) },
    ] as const
    const timing = new ManualTiming()
    const storage = wrapStorage(new FaultyStorage(inner, faults), destination, { timing })
    expect(await timing.finish(storage.get(key, { length: 1000 }))).toHaveLength(1000)
    await expectPortRejection('corrupt', () => storage.get(key))
  })

  it('puts neither a queue nor a clock before a local storage', async () => {
    const timing = new ManualTiming()
    const raw = new GatedStorage({ capabilities: { isLocal: true, concurrency: 1 } })
    const storage = wrapStorage(raw, destination, { timing })
    const puts = ['bkp.json', key].map((name) => storage.put(name, bytes))
    await timing.advance(3_600_000)
    expect(raw.kept).toEqual(['bkp.json', key])
    raw.letGo()
    await Promise.all(puts)
    expect(timing.waits).toEqual([])
  })

  it('can run dry', async () => {
    const raw = new InMemoryStorage()
    const storage = wrapStorage(raw, destination, { mode: 'dry-run' })
    await storage.put(key, bytes)
    await expectPortRejection('not-found', () => raw.stat(key))
    expect(storage.metrics().skipped).toEqual({ puts: 1, putBytes: 1000, removes: 0 })
  })

  it('warns of no leak when many calls share a signal', async () => {
    const warnings: Error[] = []
    const heard = (warning: Error) => warnings.push(warning)
    process.on('warning', heard)
    const { signal } = new AbortController()
    const storage = wrapStorage(new InMemoryStorage(network(2)), destination)
    await Promise.all(Array.from({ length: 50 }, () => storage.put(key, bytes, { signal })))
    await new Promise(setImmediate)
    process.off('warning', heard)
    expect(warnings).toEqual([])
  })
})

describeStorage('with everything around it but integrity, which knows only keys of ours', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () =>
      compose(
        new InMemoryStorage({ objects }),
        withTimeout({ limits: defaultTimeLimits, timing: systemTiming }),
        withMeter(new StorageMeter()),
        withConcurrency(4),
        withRetry({}),
      )
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

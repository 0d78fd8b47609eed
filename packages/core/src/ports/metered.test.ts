import { PortError } from '@bkp/plugin-api'
import { describeStorage, expectPortRejection, FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { DryRunStorage } from './dry-run.js'
import { MeteredStorage } from './metered.js'
import { StorageMeter } from './metrics.js'

describeStorage('with a meter', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new MeteredStorage(new InMemoryStorage({ objects }), new StorageMeter())
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('MeteredStorage', () => {
  it('counts attempts, failures, objects, bytes and seconds of every kind of call', async () => {
    const meter = new StorageMeter()
    const error = new PortError('transient', 'x')
    const when = { kind: 'numbers', numbers: [1] } as const
    const faults = (['put', 'list'] as const).map(
      (call) => ({ kind: 'failure', call, moment: 'after', error, when }) as const,
    )
    const storage = new MeteredStorage(new FaultyStorage(new InMemoryStorage(), faults), meter)
    const list = async () => {
      for await (const _ of storage.list('')) await new Promise((resolve) => setTimeout(resolve, 20))
    }
    await expectPortRejection('transient', () => storage.put('a', new Uint8Array(10)))
    await storage.put('a', new Uint8Array(10))
    await storage.put('b', new Uint8Array(5))
    await expectPortRejection('transient', list)
    await list()
    for await (const _ of storage.list('')) break
    await storage.get('a', { offset: 2 })
    await expectPortRejection('not-found', () => storage.stat('c'))
    await storage.remove('b')
    const { calls } = meter.snapshot()
    expect(calls).toMatchObject({
      put: { count: 3, failures: 1, objects: 2, bytes: 15 },
      list: { count: 3, failures: 1, objects: 4, bytes: 0 },
      get: { count: 1, failures: 0, objects: 1, bytes: 8 },
      stat: { count: 1, failures: 1, objects: 0, bytes: 0 },
      remove: { count: 1, failures: 0, objects: 1, bytes: 0 },
    })
    // The time that the taker of a list spends does not count.
    expect(calls.list.seconds).toBeLessThan(0.03)
    expect(calls.put.seconds).toBeGreaterThan(0)
  })

  it('gives snapshots that do not change any more', async () => {
    const meter = new StorageMeter()
    const before = meter.snapshot()
    await new MeteredStorage(new InMemoryStorage(), meter).put('a', new Uint8Array(10))
    expect([before.calls.put.count, meter.snapshot().calls.put.count]).toEqual([0, 1])
  })
})

describe('DryRunStorage', () => {
  it('writes and removes nothing, counts what it would, and reads as ever', async () => {
    const inner = new InMemoryStorage()
    const meter = new StorageMeter()
    await inner.put('old', new Uint8Array(7))
    const storage = new DryRunStorage(inner, meter)
    await storage.put('new', new Uint8Array(10))
    await storage.put('newer', new Uint8Array(20))
    await storage.remove('old')
    await expectPortRejection('not-found', () => storage.get('new'))
    expect(await storage.get('old')).toHaveLength(7)
    expect(meter.snapshot().skipped).toEqual({ puts: 2, putBytes: 30, removes: 1 })
  })

  it('can be aborted', async () => {
    const storage = new DryRunStorage(new InMemoryStorage(), new StorageMeter())
    const reason = new Error('the user pressed Ctrl-C')
    const signal = AbortSignal.abort(reason)
    await expect(storage.put('new', new Uint8Array(1), { signal })).rejects.toBe(reason)
    await expect(storage.remove('new', { signal })).rejects.toBe(reason)
  })
})

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import type { TransferLimits } from '../config/destination.js'
import { BandwidthStorage, bandwidthLimiterOf } from './bandwidth.js'
import { StorageMeter } from './metrics.js'
import { ManualTiming } from './testing/manual-timing.js'
import { systemTiming } from './timing.js'

const kilobyte = new Uint8Array(1000)

function limited(limits: TransferLimits, timing = new ManualTiming()) {
  const meter = new StorageMeter()
  const inner = new InMemoryStorage()
  const limiter = bandwidthLimiterOf(limits, timing, meter)
  if (limiter === undefined) throw new Error('nothing is limited')
  return { inner, timing, meter, storage: new BandwidthStorage(inner, limiter) }
}

/** Seconds after the beginning at which each of the calls ended. */
async function endsOf(timing: ManualTiming, calls: readonly Promise<unknown>[]): Promise<number[]> {
  const began = timing.now()
  const ends = calls.map(async (call) => {
    await call
    return Math.round((timing.now() - began) / 1000)
  })
  return timing.finish(Promise.all(ends), 500)
}

describeStorage('with a bandwidth limit', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const limits = { uploadBytesPerSecond: 1e12, downloadBytesPerSecond: 1e12 }
    const limiter = bandwidthLimiterOf(limits, systemTiming, new StorageMeter())
    if (limiter === undefined) throw new Error('nothing is limited')
    const reopen = async () => new BandwidthStorage(new InMemoryStorage({ objects }), limiter)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('BandwidthStorage', () => {
  it('lets the first put go at once, and each of the next when all before it are paid for', async () => {
    const { timing, meter, storage } = limited({ uploadBytesPerSecond: 100 })
    const puts = ['a', 'b', 'c', 'd'].map((key) => storage.put(key, kilobyte))
    expect(await endsOf(timing, puts)).toEqual([0, 10, 20, 30])
    expect(meter.snapshot().limitSeconds).toBe(60)
  })

  it('saves nothing up while nothing happens', async () => {
    const { timing, storage } = limited({ uploadBytesPerSecond: 100 })
    await timing.advance(3_600_000)
    expect(await endsOf(timing, [storage.put('a', kilobyte), storage.put('b', kilobyte)])).toEqual([0, 10])
  })

  it('limits both directions apart', async () => {
    const { timing, storage } = limited({ uploadBytesPerSecond: 100, downloadBytesPerSecond: 200 })
    await storage.put('a', kilobyte)
    await storage.get('a', { length: 1000 })
    const rest = [storage.put('b', kilobyte), storage.get('a', { offset: 10, length: 500 })]
    expect(await endsOf(timing, rest)).toEqual([10, 5])
  })

  it('charges a get of a whole object when its size is known', async () => {
    const { timing, storage } = limited({ downloadBytesPerSecond: 100 })
    await storage.put('a', kilobyte)
    await storage.get('a')
    expect(await endsOf(timing, [storage.get('a', { length: 1 })])).toEqual([10])
  })

  it('does not keep a heartbeat waiting, and charges it', async () => {
    const { timing, storage } = limited({ uploadBytesPerSecond: 100 })
    await storage.put('a', kilobyte)
    const calls = [storage.put('sessions/1', kilobyte), storage.put('b', kilobyte)]
    expect(await endsOf(timing, calls)).toEqual([0, 20])
  })

  it('does not limit what is no transfer', async () => {
    const { timing, storage } = limited({ uploadBytesPerSecond: 1, downloadBytesPerSecond: 1 })
    await storage.put('a', kilobyte)
    await storage.stat('a')
    for await (const { key } of storage.list('')) await storage.remove(key)
    expect(timing.waits).toEqual([])
  })

  it('lets who waits leave at once with the reason, at the head of the queue and behind it, and charges nothing', async () => {
    const { timing, storage } = limited({ uploadBytesPerSecond: 100 })
    await storage.put('a', kilobyte)
    const [head, middle] = [new AbortController(), new AbortController()]
    const left = [head, middle].map(({ signal }) => storage.put('left', kilobyte, { signal }))
    const last = storage.put('b', kilobyte)
    await nextTurn()
    middle.abort(new Error('second'))
    head.abort(new Error('first'))
    const outcomes = await Promise.allSettled(left)
    expect(outcomes).toMatchObject([{ reason: { message: 'first' } }, { reason: { message: 'second' } }])
    expect(await endsOf(timing, [last])).toEqual([10])
  })

  it('changes the rate at the minute of the schedule, also for one that waits already', async () => {
    const timing = new ManualTiming(new Date(2026, 10, 24, 22, 59, 30).getTime())
    const schedule = [{ from: '23:00', to: '06:00', uploadBytesPerSecond: 1000 }]
    const { storage } = limited({ uploadBytesPerSecond: 10, schedule }, timing)
    await storage.put('a', kilobyte)
    // 30 s at 10 B/s pay 300 of 1000 bytes; the rest takes 0.7 s.
    expect(await endsOf(timing, [storage.put('b', kilobyte), storage.put('c', kilobyte)])).toEqual([31, 32])
  })

  it('waits for the next period when the rate is nothing at all', async () => {
    const timing = new ManualTiming(new Date(2026, 10, 24, 8, 0).getTime())
    const schedule = [{ from: '07:30', to: '08:05', uploadBytesPerSecond: 0 }]
    const { storage } = limited({ schedule }, timing)
    expect(await endsOf(timing, [storage.put('a', kilobyte), storage.get('a').catch(() => undefined)])).toEqual([
      300, 0,
    ])
  })

  it('is not there when nothing is limited', () => {
    const limiterOf = (limits?: TransferLimits) => bandwidthLimiterOf(limits, systemTiming, new StorageMeter())
    expect(limiterOf()).toBeUndefined()
    expect(limiterOf({})).toBeUndefined()
    expect(limiterOf({ schedule: [{ from: '08:00', to: '09:00' }] })).toBeUndefined()
    expect(limiterOf({ schedule: [{ from: '08:00', to: '09:00', uploadBytesPerSecond: 1 }] })).toMatchObject({
      download: undefined,
    })
  })
})

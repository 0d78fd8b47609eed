import { firstOnes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type FaultBench, inTime, newPack, outcomeOf, quickRetry } from './fault-bench.js'

export function describeHttpFaults(benchOf: () => FaultBench): void {
  const patient = { ...quickRetry, retries: 20, patienceMs: 14_000 }
  const half = (seed: number) => ({ kind: 'random', probability: 0.5, seed }) as const

  describe('an HTTP server', () => {
    it.each([429, 500, 502, 503, 504])(
      'that answers half of all with %i is asked until all is done',
      async (status) => {
        const bench = benchOf()
        const { httpProxy } = bench
        const storage = await bench.open(httpProxy, patient)
        const packs = Array.from({ length: 8 }, () => newPack(20_000))
        const before = httpProxy.counts.statuses
        httpProxy.add({ kind: 'status', status, when: half(status) })
        await inTime(Promise.all(packs.map(({ key, bytes }) => storage.put(key, bytes))))
        for (const { key, bytes } of packs) expect(Buffer.compare(await inTime(storage.get(key)), bytes)).toBe(0)
        expect(httpProxy.counts.statuses).toBeGreaterThan(before)
        await bench.audit(packs.map((pack) => ({ pack, outcome: { kind: 'done' } as const })))
      },
    )

    it('that says when to come back is left alone for so long, within limits', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const storage = await bench.open(httpProxy, { ...quickRetry, maxAskedDelayMs: 1500 })
      const pack = newPack(1000)
      const began = performance.now()
      httpProxy.add({ kind: 'status', status: 503, retryAfter: '1', when: firstOnes(1) })
      await inTime(storage.put(pack.key, pack.bytes))
      expect(performance.now() - began).toBeGreaterThan(950)
      httpProxy.add({ kind: 'status', status: 429, retryAfter: '3600', when: firstOnes(1) })
      await inTime(storage.get(pack.key))
    })

    it.each([
      [429, /^throttled$/],
      [500, /^transient$/],
      [503, /^(throttled|transient)$/],
    ])('that answers %i and nothing else is given up in time', async (status, code) => {
      const bench = benchOf()
      const storage = await bench.open(bench.httpProxy)
      const pack = newPack(1000)
      bench.httpProxy.add({ kind: 'status', status })
      const outcome = await outcomeOf(storage.put(pack.key, pack.bytes))
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: expect.stringMatching(code) } })
      bench.httpProxy.heal()
      await bench.audit([{ pack, outcome }])
    })

    it('that takes no credentials any more is not asked again and again', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const storage = await bench.open(httpProxy)
      const pack = newPack(1000)
      const before = httpProxy.counts.statuses
      httpProxy.add({ kind: 'status', status: 401 })
      const outcome = await outcomeOf(storage.put(pack.key, pack.bytes))
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'auth' } })
      expect(httpProxy.counts.statuses - before).toBeLessThanOrEqual(4)
    })

    it('whose answer to a put is lost has stored it, and the put succeeds', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const storage = await bench.open(httpProxy)
      for (const ifAbsent of [false, true]) {
        const pack = newPack()
        const before = httpProxy.counts.statuses
        const matches = ({ method }: { method: string }) => ['PUT', 'POST', 'MOVE'].includes(method)
        const heal = httpProxy.add({ kind: 'status', status: 500, moment: 'after', matches, when: firstOnes(1) })
        await inTime(storage.put(pack.key, pack.bytes, { ifAbsent }))
        heal()
        expect(httpProxy.counts.statuses - before).toBe(1)
        await bench.audit([{ pack, outcome: { kind: 'done' } }])
      }
    })

    it('whose answers break off gives no short bytes', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const storage = await bench.open(httpProxy, patient)
      const pack = newPack()
      await storage.put(pack.key, pack.bytes)
      const before = httpProxy.counts.cutBodies
      for (const afterBytes of [1, 1000, pack.bytes.length - 1]) {
        const heal = httpProxy.add({ kind: 'cut-body', afterBytes, when: firstOnes(1) })
        expect(Buffer.compare(await inTime(storage.get(pack.key)), pack.bytes)).toBe(0)
        heal()
      }
      expect(httpProxy.counts.cutBodies - before).toBe(3)
    })

    it('whose clock is wrong is used, or fails with an error of the port, and damages nothing', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const storage = await bench.open(httpProxy)
      httpProxy.add({ kind: 'date', offsetMs: 3 * 3_600_000 })
      const packs = [newPack(1000), newPack(1000)]
      const outcomes = []
      for (const pack of packs) outcomes.push({ pack, outcome: await outcomeOf(storage.put(pack.key, pack.bytes)) })
      expect(httpProxy.counts.dates).toBeGreaterThan(0)
      await bench.audit(outcomes)
    })
  })
}

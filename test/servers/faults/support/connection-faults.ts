import { describe, expect, it } from 'vitest'
import {
  type FaultBench,
  inTime,
  newPack,
  noRetry,
  type Outcome,
  outcomeOf,
  type Pack,
  packBytes,
} from './fault-bench.js'

const seeds = Array.from({ length: 20 }, (_, n) => n + 1)

export function describeConnectionFaults(benchOf: () => FaultBench): void {
  describe('a connection that is cut at any byte', () => {
    it.each(seeds)('on its way up is no matter for a put (seed %i)', async (seed) => {
      const { proxy, ...bench } = partsOf(benchOf())
      const pack = newPack()
      const storage = await bench.open(proxy)
      const before = proxy.counts.cuts
      proxy.add({ kind: 'random-cut', direction: 'up', withinBytes: packBytes, seed })
      await inTime(storage.put(pack.key, pack.bytes))
      expect(proxy.counts.cuts - before).toBe(1)
      await bench.audit([{ pack, outcome: { kind: 'done' } }])
    })

    it.each(seeds)('on its way down is no matter for a get (seed %i)', async (seed) => {
      const { proxy, ...bench } = partsOf(benchOf())
      const pack = newPack()
      const storage = await bench.open(proxy)
      await storage.put(pack.key, pack.bytes)
      const before = proxy.counts.cuts
      proxy.add({ kind: 'random-cut', direction: 'down', withinBytes: packBytes, seed })
      const bytes = await inTime(storage.get(pack.key))
      expect(Buffer.compare(bytes, pack.bytes)).toBe(0)
      expect(proxy.counts.cuts - before).toBe(1)
      const range = await inTime(storage.get(pack.key, { offset: 1000, length: 50_000 }))
      expect(Buffer.compare(range, pack.bytes.subarray(1000, 51_000))).toBe(0)
    })

    it('without another attempt leaves of a put all or nothing', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const puts: { pack: Pack; outcome: Outcome }[] = []
      for (const seed of seeds) {
        const pack = newPack()
        const storage = await bench.open(proxy, noRetry)
        const heal = proxy.add({ kind: 'random-cut', direction: 'up', withinBytes: packBytes, seed, times: 100 })
        puts.push({ pack, outcome: await outcomeOf(storage.put(pack.key, pack.bytes)) })
        heal()
      }
      for (const { outcome } of puts) expect(outcome).toMatchObject({ kind: 'failed' })
      await bench.audit(puts)
    })

    it('before the answer of a put that must not replace does not make it fail', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      for (const afterBytes of [0, 10, 60]) {
        const pack = newPack()
        const heal = proxy.add({ kind: 'cut', direction: 'down', afterBytes })
        await inTime(storage.put(pack.key, pack.bytes, { ifAbsent: true }))
        heal()
        await bench.audit([{ pack, outcome: { kind: 'done' } }])
      }
    })

    it('in the middle of a list gives each object once, whatever was cut', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const keys: string[] = []
      for (let n = 0; n < 30; n++) {
        const { key, bytes } = newPack(100 + n)
        await storage.put(key, bytes)
        keys.push(key)
      }
      const before = proxy.counts.cuts
      for (const seed of seeds) {
        const heal = proxy.add({ kind: 'random-cut', direction: 'down', withinBytes: 2000, seed })
        const listed = await inTime(keysOf(storage.list('packs/')))
        expect(new Set(listed).size).toBe(listed.length)
        expect(listed).toEqual(expect.arrayContaining(keys))
        heal()
      }
      expect(proxy.counts.cuts).toBeGreaterThan(before)
    })
  })

  describe('a connection that stalls', () => {
    it.each(['up', 'down'] as const)(
      'on its way %s for ever fails in time, and later all is well',
      async (direction) => {
        const { proxy, ...bench } = partsOf(benchOf())
        const storage = await bench.open(proxy)
        const [old, pack] = [newPack(), newPack()]
        await storage.put(old.key, old.bytes)
        const before = proxy.counts.stalls
        proxy.add({ kind: 'stall', direction })
        const calls = [storage.put(pack.key, pack.bytes), storage.get(old.key), storage.stat(old.key)]
        const outcomes = await Promise.all([...calls, keysOf(storage.list('packs/'))].map(outcomeOf))
        for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'failed' })
        expect(proxy.counts.stalls).toBeGreaterThan(before)
        proxy.heal()
        await bench.audit([{ pack, outcome: { kind: 'failed', error: undefined } }])
        await inTime(storage.put(pack.key, pack.bytes))
        await bench.audit([{ pack, outcome: { kind: 'done' } }])
      },
    )

    it('for a second is no matter', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const pack = newPack()
      proxy.add({ kind: 'stall', direction: 'up', afterBytes: 50_000, ms: 1000 })
      await inTime(storage.put(pack.key, pack.bytes))
      proxy.add({ kind: 'stall', direction: 'down', afterBytes: 50_000, ms: 1000 })
      expect(Buffer.compare(await inTime(storage.get(pack.key)), pack.bytes)).toBe(0)
    })

    it('lets a call be aborted at once', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const reason = new Error('the user pressed Ctrl-C')
      const controller = new AbortController()
      const { key, bytes } = newPack()
      const before = proxy.counts.stalls
      proxy.add({ kind: 'stall', direction: 'up', afterBytes: 1000 })
      const running = storage.put(key, bytes, { signal: controller.signal })
      const rejected = expect(running).rejects.toBe(reason)
      while (proxy.counts.stalls === before) await new Promise(setImmediate)
      const began = performance.now()
      controller.abort(reason)
      await rejected
      expect(performance.now() - began).toBeLessThan(1000)
    })
  })

  describe('a server', () => {
    it('that takes everything and answers nothing fails in time', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const pack = newPack()
      proxy.add({ kind: 'silence' })
      const outcome = await outcomeOf(storage.put(pack.key, pack.bytes))
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: expect.stringMatching(/^(transient|offline)$/) } })
      proxy.heal()
      await bench.audit([{ pack, outcome }])
    })

    it('that restarts in the middle of transfers is waited for', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const old = newPack()
      await storage.put(old.key, old.bytes)
      const packs = [1, 2, 3, 4].map(() => newPack())
      const heal = proxy.add({ kind: 'throttle', bytesPerSecond: 1_000_000 })
      const puts = packs.map(({ key, bytes }) => storage.put(key, bytes))
      const got = storage.get(old.key)
      const all = inTime(Promise.all([...puts, got]))
      const up = proxy.counts.bytesUp
      while (proxy.counts.bytesUp < up + 50_000) await new Promise(setImmediate)
      await proxy.restart(150)
      heal()
      await all
      expect(Buffer.compare(await got, old.bytes)).toBe(0)
      await bench.audit(packs.map((pack) => ({ pack, outcome: { kind: 'done' } as const })))
    })

    it('that refuses connections is offline, and is used again when it is back', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      const storage = await bench.open(proxy)
      const pack = newPack()
      await proxy.refuse()
      const outcome = await outcomeOf(storage.put(pack.key, pack.bytes))
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'offline' } })
      await proxy.accept()
      await inTime(storage.put(pack.key, pack.bytes))
      await bench.audit([{ pack, outcome: { kind: 'done' } }])
    })

    it('whose name leads nowhere is offline', async () => {
      const bench = benchOf()
      const opening = async () => {
        const storage = await bench.open({ host: 'no-such-host.invalid', port: bench.target.address.port })
        await storage.stat('bkp.json')
      }
      const outcome = await outcomeOf(opening())
      expect(outcome).toMatchObject({ kind: 'failed', error: { code: 'offline' } })
    })

    it('that is slow and far away does all the same', async () => {
      const { proxy, ...bench } = partsOf(benchOf())
      proxy.add({ kind: 'latency', ms: 20 })
      const storage = await bench.open(proxy)
      const packs = [1, 2, 3].map(() => newPack(20_000))
      await inTime(Promise.all(packs.map(({ key, bytes }) => storage.put(key, bytes))))
      await bench.audit(packs.map((pack) => ({ pack, outcome: { kind: 'done' } as const })))
    })
  })
}

function partsOf(bench: FaultBench) {
  return { proxy: bench.proxy, open: bench.open.bind(bench), audit: bench.audit.bind(bench) }
}

async function keysOf(list: AsyncIterable<{ readonly key: string }>): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

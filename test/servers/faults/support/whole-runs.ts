import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { reportOf } from '../../../support/outcomes.js'
import { longestRunMs, middleBytes, RunBench } from './run-bench.js'
import type { RunSuite } from './run-target.js'
import { describeHttpServers, describeStorms } from './whole-http-runs.js'

/** What the command line makes of a network destination that fails in the middle of its runs. */
export function describeWholeRuns(name: string, suite: RunSuite): void {
  // Each is some ten processes; a busy machine takes minutes for one that takes five seconds.
  describe(`Whole runs, ${name}`, { timeout: 400_000 }, () => {
    let bench: RunBench
    beforeAll(async () => {
      bench = await RunBench.start(await suite.start())
    })
    beforeEach(() => bench.newRepository())
    afterEach(() => bench.tidy())
    afterAll(() => bench?.stop())

    describe('a backup to a disk and a server', () => {
      it('whose connections are cut at random bytes is complete, or lacks what sync brings', async () => {
        const fault = { kind: 'random-cut', direction: 'up', withinBytes: 9_000_000, seed: 11, times: 6 } as const
        const before = bench.proxy.counts.cuts
        const ran = await bench.backupUnder(fault)
        expect(bench.proxy.counts.cuts - before).toBeGreaterThan(2)
        await bench.audit(ran)
        await bench.expectRestorable('direct:far')
      })

      it('that stalls for ever leaves a laggard in bounded time', async () => {
        const ran = await bench.backupUnder({ kind: 'stall', direction: 'up', afterBytes: middleBytes })
        expect(ran.code).toBe(4)
        expect(ran.elapsedMs).toBeLessThan(longestRunMs)
        const { message } = await bench.audit(ran)
        expect(message).toMatch(/longer than|does not answer|broke|lost|silent|dead/)
      })

      if (suite.also.includes('away')) {
        it('that goes away in the middle, for ever, leaves a laggard in bounded time', async () => {
          const ran = await bench.backupInterruptedBy('proxy', () => bench.proxy.refuse())
          expect(ran.code).toBe(4)
          expect(ran.elapsedMs).toBeLessThan(longestRunMs)
          await bench.audit(ran)
        })
      }

      it('that restarts in the middle is complete on both', async () => {
        const ran = await bench.backupInterruptedBy('patient-proxy', () => bench.restartServer())
        expect((await bench.audit(ran)).state).toBe('complete')
      })

      it('whose credentials end in the middle leaves a laggard, and says why', async () => {
        const { proxy, target } = bench
        const ran = await bench.backupInterruptedBy('proxy', async () => {
          await target.revoke()
          await proxy.restart()
        })
        await target.allow()
        expect(ran.code).toBe(4)
        const { message } = await bench.audit(ran)
        expect(message).toMatch(/\b(401|403)\b|denied|credential|log in|login|authenticat|key|Unauthorized/i)
      })

      if (suite.full === undefined) {
        it('that is full in the middle leaves a laggard, and says why', async () => {
          const { place } = bench
          const ran = await bench.backupInterruptedBy('proxy', async () => bench.target.room?.end(place))
          await bench.target.room?.make(place)
          expect(ran.code).toBe(4)
          const { message } = await bench.audit(ran)
          expect(message).toMatch(/full|space|quota|cap exceeded|\b507\b/i)
        })
      }

      if (suite.expires) {
        it('whose tokens expire in the middle is complete on both', async () => {
          const ran = await bench.backupInterruptedBy('patient-proxy', async () => bench.target.expire?.())
          expect((await bench.audit(ran)).state).toBe('complete')
        })
      }
    })

    if (suite.also.includes('core')) describeCore(() => bench)
    if (suite.also.includes('storms')) describeStorms(() => bench, suite)
    if (suite.also.includes('http')) describeHttpServers(() => bench, suite)
  })
}

/** What is the same for every server. */
function describeCore(benchOf: () => RunBench): void {
  describe('a backup to a disk and a server', () => {
    it('whose name does not resolve leaves a laggard, and says why', async () => {
      const bench = benchOf()
      const ran = await bench.backup('nowhere')
      expect(ran.code).toBe(4)
      expect(ran.elapsedMs).toBeLessThan(longestRunMs)
      const { message } = await bench.audit(ran)
      expect(message).toMatch(/no-such-host/)
    })
  })

  describe('a backup to the server alone', () => {
    it('that stalls for ever fails clearly, and the next run completes it', async () => {
      const bench = benchOf()
      const ran = await bench.backupUnder({ kind: 'stall', direction: 'up', afterBytes: middleBytes }, 'alone-proxy')
      expect(ran.code).toBe(1)
      expect(ran.elapsedMs).toBeLessThan(longestRunMs)
      await bench.expectSound('direct:far')
      reportOf(await bench.backup('alone-direct'), 0)
      await bench.expectSound('direct:far')
      await bench.expectRestorable('direct:far')
    })

    it('whose connections are cut is complete', async () => {
      const bench = benchOf()
      const cut = { kind: 'random-cut', direction: 'up', withinBytes: 12_000_000, seed: 31, times: 5 } as const
      reportOf(await bench.backupUnder(cut, 'alone-patient-proxy'), 0)
      await bench.expectSound('direct:far')
      const heal = bench.proxy.add({ ...cut, direction: 'down', seed: 32 })
      await bench.expectRestorable('alone-patient-proxy')
      heal()
      bench.proxy.add({ kind: 'stall', direction: 'down', afterBytes: middleBytes })
      const ran = await bench.restore('alone-proxy')
      expect(ran.code).not.toBe(0)
      expect(ran.elapsedMs).toBeLessThan(longestRunMs)
      bench.expectNothingWrong()
    })
  })
}

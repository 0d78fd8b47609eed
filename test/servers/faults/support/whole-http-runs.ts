import type { ProxiedRequest } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { reportOf } from '../../../support/outcomes.js'
import { type BackupReport, longestRunMs, type RunBench } from './run-bench.js'
import type { RunSuite } from './run-target.js'

const isUpload = ({ method, url }: ProxiedRequest) => method === 'PUT' || url.includes('b2_upload_file')
const some = (seed: number, probability: number) => ({ kind: 'random', probability, seed }) as const

/** A module that puts the clock of a process three hours ahead. */
const clockAhead = `data:text/javascript,${encodeURIComponent(`
  const RealDate = Date
  const now = () => RealDate.now() + 3 * 3600_000
  globalThis.Date = class Date extends RealDate {
    constructor(...given) { given.length === 0 ? super(now()) : super(...given) }
    static now() { return now() }
  }`)}`

/** Storms of statuses, and a server that is full. */
export function describeStorms(benchOf: () => RunBench, { full }: RunSuite): void {
  describe('a backup to a disk and an HTTP server', () => {
    it('that answers many requests with 429, 500 and 503 is complete, or lacks what sync brings', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      const before = httpProxy.counts.statuses
      // To open a destination is one attempt, after which the run goes on without it: the storm comes later.
      let hasBegun = false
      const matches = (request: ProxiedRequest) => {
        const isInStorm = hasBegun
        hasBegun ||= isUpload(request)
        return isInStorm
      }
      httpProxy.add({ kind: 'status', status: 500, when: some(1, 0.2), matches })
      httpProxy.add({ kind: 'status', status: 503, when: some(2, 0.2), retryAfter: '1', matches })
      httpProxy.add({ kind: 'status', status: 429, when: some(3, 0.15), matches })
      httpProxy.add({ kind: 'status', status: 502, when: some(4, 0.15), moment: 'after', matches })
      const ran = await bench.backup('http-proxy')
      expect(httpProxy.counts.statuses - before).toBeGreaterThan(2)
      await bench.audit(ran)
    })

    it('that answers nothing but 503 from the middle on leaves a laggard, without a storm of retries', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      let uploads = 0
      const matches = (request: ProxiedRequest) => {
        if (isUpload(request)) uploads++
        return uploads > 3
      }
      httpProxy.add({ kind: 'status', status: 503, retryAfter: '2', matches })
      const before = httpProxy.counts.statuses
      const ran = await bench.backup('http-proxy')
      expect(ran.code).toBe(4)
      expect(httpProxy.counts.statuses - before).toBeLessThan(60)
      expect(ran.elapsedMs).toBeLessThan(longestRunMs)
      await bench.audit(ran)
    })

    if (full !== undefined) {
      it('that is full in the middle leaves a laggard, and says why', async () => {
        const bench = benchOf()
        let puts = 0
        const matches = (request: ProxiedRequest) => full.matches?.(request) !== false && ++puts > 3
        bench.httpProxy.add({ kind: 'status', ...full, matches })
        const ran = await bench.backup('http-proxy')
        expect(ran.code).toBe(4)
        const { message } = await bench.audit(ran)
        expect(message).toMatch(/full|quota/i)
      })
    }
  })
}

/** Lists that lag, wrong clocks, removals that are refused. */
export function describeHttpServers(benchOf: () => RunBench, { isListing = () => false }: RunSuite): void {
  describe('a backup to a disk and an HTTP server', () => {
    it('that removes nothing any more keeps the lease of the run, whose snapshot counts all the same', async () => {
      const bench = benchOf()
      const matches = ({ method, url }: ProxiedRequest) => method === 'DELETE' || /b2_(delete|hide)_/.test(url)
      bench.httpProxy.add({ kind: 'status', status: 500, matches })
      reportOf(await bench.backup('alone-http-proxy'), 0)
      await bench.expectSound('direct:far')
      await bench.expectRestorable('direct:far')
    })

    it('whose lists lag behind what was put never names what is not there', async () => {
      const bench = benchOf()
      const { httpProxy } = bench
      httpProxy.add({ kind: 'late', lag: 2, matches: isListing })
      reportOf<BackupReport>(await bench.backup('http-proxy'), 0)
      bench.addFile('one more', 3_000_000)
      const ran = await bench.backup('http-proxy')
      await bench.audit(ran)
      await bench.expectRestorable('direct:far')
    })

    it('whose clock is hours away is used, or named', async () => {
      const bench = benchOf()
      bench.httpProxy.add({ kind: 'date', offsetMs: 5 * 3_600_000 })
      const ran = await bench.backup('http-proxy')
      await bench.audit(ran)
    })

    it('is used where the clock of this machine is hours away, or the clock is named', async () => {
      const bench = benchOf()
      const ran = await bench.backup('direct', { NODE_OPTIONS: `--import ${clockAhead}` })
      const { state, message } = await bench.audit(ran)
      if (state === 'lagging') expect(message).toMatch(/clock|time/i)
    })
  })
}

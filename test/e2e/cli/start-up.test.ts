import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'
import { executable } from './executable.js'

describe('start-up', () => {
  it('of --version takes at most 150 ms more than node itself (medians of 9)', () => {
    const median = (args: readonly string[]) => {
      const times = Array.from({ length: 9 }, () => {
        const started = performance.now()
        expect(spawnSync(process.execPath, args).status).toBe(0)
        return performance.now() - started
      })
      return times.sort((a, b) => a - b)[4] as number
    }
    expect(median([executable, '--version']) - median(['-e', '0'])).toBeLessThan(150)
  })

  it('warns of nothing', async () => {
    for (const args of [['--version'], ['--help'], ['doctor']]) {
      expect((await bkp(args)).stderr).not.toMatch(/warning/i)
    }
  })
})

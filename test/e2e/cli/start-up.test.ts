import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { bkp } from '../../support/run-bkp.js'
import { executable } from './executable.js'

describe('start-up', () => {
  // Tried again when the machine is busy: load can make the difference larger, never smaller.
  it('of --version takes at most 150 ms more than node itself (medians of 9)', { retry: 2 }, () => {
    const timeOf = (args: readonly string[]) => {
      const started = performance.now()
      expect(spawnSync(process.execPath, args).status).toBe(0)
      return performance.now() - started
    }
    // By turns, so that a burst of load meets both.
    const pairs = Array.from({ length: 9 }, () => [timeOf(['-e', '0']), timeOf([executable, '--version'])] as const)
    const median = (which: 0 | 1) => pairs.map((pair) => pair[which]).sort((a, b) => a - b)[4] as number
    expect(median(1) - median(0)).toBeLessThan(150)
  })

  it('warns of nothing', async () => {
    for (const args of [['--version'], ['--help'], ['doctor']]) {
      expect((await bkp(args)).stderr).not.toMatch(/warning/i)
    }
  })
})

import { PortError, type PortErrorCode, portErrorCodes } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { openPatiently } from './opening.js'
import type { Timing } from './timing.js'

/** Fails so often, then succeeds. */
function opening(failures: number, code: PortErrorCode) {
  const state = { attempts: 0 }
  const open = async () => {
    if (++state.attempts <= failures) throw new PortError(code, 'Not now')
    return 'open'
  }
  return { state, open }
}

/** Time that has passed as soon as somebody waits. */
function quickTiming(): Timing {
  let now = 0
  return {
    now: () => now,
    wait: async (delayMs) => {
      now += delayMs
    },
  }
}

describe('opening a storage', () => {
  it.each(['transient', 'throttled'] as const)('is tried again after %s', async (code) => {
    const { open, state } = opening(2, code)
    const waits: number[] = []
    const timing = quickTiming()
    const parts = { timing, onWait: ({ delayMs }: { delayMs: number }) => waits.push(delayMs) }
    await expect(openPatiently(open, {}, parts)).resolves.toBe('open')
    expect(state.attempts).toBe(3)
    expect(waits).toHaveLength(2)
  })

  it.each(portErrorCodes.filter((code) => code !== 'transient' && code !== 'throttled'))(
    'fails at once with %s',
    async (code) => {
      const { open, state } = opening(1, code)
      await expect(openPatiently(open, {}, { timing: quickTiming() })).rejects.toMatchObject({ code })
      expect(state.attempts).toBe(1)
    },
  )

  it('ends after a few attempts, and after one where the destination has no patience', async () => {
    const busy = opening(100, 'throttled')
    await expect(openPatiently(busy.open, {}, { timing: quickTiming() })).rejects.toMatchObject({
      code: 'throttled',
    })
    expect(busy.state.attempts).toBe(5)
    const hasty = opening(100, 'throttled')
    await expect(
      openPatiently(hasty.open, { patience: { retrySeconds: 0 } }, { timing: quickTiming() }),
    ).rejects.toMatchObject({ code: 'throttled' })
    expect(hasty.state.attempts).toBe(1)
  })
})

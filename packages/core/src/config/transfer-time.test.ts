import { describe, expect, it } from 'vitest'
import { rateOf } from './rate-schedule.js'
import { secondsToTransfer } from './transfer-time.js'

const at = (hours: number, minutes = 0, seconds = 0) => new Date(2026, 10, 24, hours, minutes, seconds).getTime()

describe('the time that a transfer takes', () => {
  it('is none without a limit', () => {
    expect(secondsToTransfer(1e12, undefined, at(8))).toBe(0)
    expect(secondsToTransfer(0, () => 1, at(8))).toBe(0)
  })

  it('is bytes by rate, from less than a minute to weeks', () => {
    for (const seconds of [0.5, 59, 61, 3600, 86_400, 86_401, 3_000_000])
      expect(secondsToTransfer(seconds * 1000, () => 1000, at(8, 3, 20))).toBeCloseTo(seconds, 3)
  })

  it('follows the time of the day', () => {
    const rate = rateOf(
      { uploadBytesPerSecond: 100, schedule: [{ from: '23:00', to: '07:00', uploadBytesPerSecond: 1000 }] },
      'upload',
    )
    // Half an hour at 100, and the rest at 1000.
    expect(secondsToTransfer(100 * 1800 + 1000 * 60, rate, at(22, 30))).toBeCloseTo(1860, 3)
    const aDay = 100 * 16 * 3600 + 1000 * 8 * 3600
    expect(secondsToTransfer(3 * aDay + 1000 * 60, rate, at(23))).toBeCloseTo(3 * 86_400 + 60, 3)
  })

  it('waits for the stretch that has no limit, or for ever', () => {
    const atNight = rateOf({ uploadBytesPerSecond: 0, schedule: [{ from: '23:00', to: '07:00' }] }, 'upload')
    expect(secondsToTransfer(1e15, atNight, at(22))).toBe(3600)
    expect(secondsToTransfer(1e15, atNight, at(23, 30))).toBe(0)
    expect(secondsToTransfer(1, () => 0, at(8))).toBe(Number.POSITIVE_INFINITY)
  })
})

import { describe, expect, it } from 'vitest'
import { nextMinute, rateOf } from './rate-schedule.js'

const at = (hours: number, minutes: number) => new Date(2026, 10, 24, hours, minutes, 59).getTime()

describe('rateOf', () => {
  const rate = rateOf(
    {
      uploadBytesPerSecond: 1,
      downloadBytesPerSecond: 9,
      schedule: [
        { from: '08:00', to: '12:30', uploadBytesPerSecond: 2 },
        { from: '22:00', to: '06:15' },
        { from: '12:00', to: '13:00', uploadBytesPerSecond: 4 },
        { from: '20:00', to: '24:00', uploadBytesPerSecond: 5 },
      ],
    },
    'upload',
  )

  it.each([
    [7, 59, 1],
    [8, 0, 2],
    [12, 29, 2],
    [12, 30, 4],
    [13, 0, 1],
    [21, 59, 5],
    [22, 0, undefined],
    [23, 59, undefined],
    [0, 0, undefined],
    [6, 14, undefined],
    [6, 15, 1],
  ])('at %i:%i local time is %s: the first period that holds it, or else the rate of the day', (hours, minutes, is) => {
    expect(rate?.(at(hours, minutes))).toBe(is)
  })

  it('takes a period that ends when it begins for the whole day', () => {
    const always = rateOf({ schedule: [{ from: '08:00', to: '08:00', downloadBytesPerSecond: 3 }] }, 'download')
    expect([always?.(at(7, 59)), always?.(at(8, 0))]).toEqual([3, 3])
  })

  it.each(['8', '25:00', '12:60', '24:01', 'noon', ''])('refuses "%s" as a time', (from) => {
    const limits = { uploadBytesPerSecond: 1, schedule: [{ from, to: '09:00' }] }
    expect(() => rateOf(limits, 'upload')).toThrow(`"${from}" is no time of day`)
  })
})

describe('nextMinute', () => {
  it('is after now, also at the beginning of a minute', () => {
    expect([nextMinute(0), nextMinute(59_999), nextMinute(60_000)]).toEqual([60_000, 60_000, 120_000])
  })
})

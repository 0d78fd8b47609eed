import { BkpError } from '../errors/index.js'
import type { LimitPeriod, TransferLimits } from './destination.js'

export type Direction = 'upload' | 'download'

/** Bytes per second at a time (milliseconds since 1970); undefined: as fast as it goes; 0: nothing at all. */
export type RateAt = (time: number) => number | undefined

const minuteMs = 60_000

/** The rate of one direction over the day. @returns undefined when it is never limited */
export function rateOf(limits: TransferLimits, direction: Direction): RateAt | undefined {
  const property = direction === 'upload' ? 'uploadBytesPerSecond' : 'downloadBytesPerSecond'
  const periods = (limits.schedule ?? []).map((period) => ({ holds: holdsOf(period), rate: period[property] }))
  const otherwise = limits[property]
  if (otherwise === undefined && periods.every(({ rate }) => rate === undefined)) return undefined
  return (time) => {
    const local = new Date(time)
    const minute = local.getHours() * 60 + local.getMinutes()
    const period = periods.find(({ holds }) => holds(minute))
    return period === undefined ? otherwise : period.rate
  }
}

/** When a rate may next be another one: every time zone of today begins its minutes with those of UTC. */
export function nextMinute(time: number): number {
  return (Math.floor(time / minuteMs) + 1) * minuteMs
}

function holdsOf({ from, to }: LimitPeriod): (minute: number) => boolean {
  const [start, end] = [minuteOfDay(from), minuteOfDay(to)]
  // A period that ends when it begins is the whole day.
  return start < end ? (minute) => minute >= start && minute < end : (minute) => minute >= start || minute < end
}

function minuteOfDay(text: string): number {
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? []
  const minute = Number(hours) * 60 + Number(minutes)
  if (Number(minutes) < 60 && minute <= 24 * 60) return minute
  throw new BkpError('usage', `"${text}" is no time of day`, { hint: 'Write hours and minutes, e.g. 08:30' })
}

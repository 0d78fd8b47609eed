import { nextMinute, type RateAt } from './rate-schedule.js'

const dayMs = 24 * 60 * 60 * 1000

/**
 * Seconds until so many bytes are through at a rate that may change over the day.
 * @param rateAt undefined: as fast as it goes, so no time at all
 * @param start milliseconds since 1970
 * @returns infinity when the rate lets nothing through at any time
 */
export function secondsToTransfer(bytes: number, rateAt: RateAt | undefined, start: number): number {
  if (rateAt === undefined || bytes <= 0) return 0
  const day = walk(Number.POSITIVE_INFINITY, rateAt, start, start + dayMs)
  // Some minutes of the day have no limit: what is left goes through in the first of them.
  if (day.isUnlimited) return walk(bytes, rateAt, start, start + dayMs).elapsedMs / 1000
  if (day.bytes === 0) return Number.POSITIVE_INFINITY
  const wholeDays = Math.ceil(bytes / day.bytes) - 1
  const rest = bytes - wholeDays * day.bytes
  return (wholeDays * dayMs + walk(rest, rateAt, start, start + dayMs).elapsedMs) / 1000
}

/** Minute by minute, until `bytes` are through, a minute has no limit, or the end has come. */
function walk(
  bytes: number,
  rateAt: RateAt,
  start: number,
  end: number,
): { readonly bytes: number; readonly elapsedMs: number; readonly isUnlimited: boolean } {
  let passed = 0
  for (let at = start; at < end; at = nextMinute(at)) {
    const rate = rateAt(at)
    if (rate === undefined) return { bytes, elapsedMs: at - start, isUnlimited: true }
    const inMinute = (rate * (Math.min(nextMinute(at), end) - at)) / 1000
    if (passed + inMinute >= bytes)
      return { bytes, elapsedMs: at - start + ((bytes - passed) / rate) * 1000, isUnlimited: false }
    passed += inMinute
  }
  return { bytes: passed, elapsedMs: end - start, isUnlimited: false }
}

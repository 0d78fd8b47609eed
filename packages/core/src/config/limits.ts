import type { LimitPeriod, Patience, TransferLimits } from './destination.js'
import { parseRate } from './size.js'

/** Rates as they stand in the file: a text such as `5M`, or a number of bytes per second. */
export interface WrittenRates {
  readonly upload?: string | number
  readonly download?: string | number
}

export interface WrittenLimits extends WrittenRates {
  readonly schedule?: readonly (WrittenRates & { readonly from: string; readonly to: string })[]
}

/** Limits of the file, which the schema has checked, in bytes per second. */
export function limitsOf(written: WrittenLimits): TransferLimits {
  const { schedule } = written
  // A period counts instead of the rates outside of it, so what it does not say it inherits.
  const periods = schedule?.map(
    ({ from, to, ...rates }): LimitPeriod => ({ from, to, ...ratesOf({ ...written, ...rates }) }),
  )
  return { ...ratesOf(written), ...(periods === undefined ? {} : { schedule: periods }) }
}

/** What is given counts at every time of the day instead of what the limits say; the other direction stays. */
export function withRates(limits: TransferLimits | undefined, rates: WrittenRates): TransferLimits | undefined {
  const { upload, download } = rates
  if (upload === undefined && download === undefined) return limits
  const change = <T extends LimitPeriod | TransferLimits>(given: T): T => {
    const { uploadBytesPerSecond, downloadBytesPerSecond, ...rest } = given
    const kept = {
      ...(uploadBytesPerSecond === undefined ? {} : { upload: uploadBytesPerSecond }),
      ...(downloadBytesPerSecond === undefined ? {} : { download: downloadBytesPerSecond }),
    }
    return { ...rest, ...ratesOf({ ...kept, ...rates }) } as T
  }
  const changed = change(limits ?? {})
  return changed.schedule === undefined ? changed : { ...changed, schedule: changed.schedule.map(change) }
}

/** As it stands in the file. */
export interface WrittenPatience extends Omit<Patience, 'slowestBytesPerSecond'> {
  readonly slowest?: string | number
}

export function patienceOf({ slowest, ...seconds }: WrittenPatience): Patience {
  const rate = rateOf(slowest)
  return { ...seconds, ...(rate === undefined ? {} : { slowestBytesPerSecond: rate }) }
}

function ratesOf({ upload, download }: WrittenRates): Omit<TransferLimits, 'schedule'> {
  const up = rateOf(upload)
  const down = rateOf(download)
  return {
    ...(up === undefined ? {} : { uploadBytesPerSecond: up }),
    ...(down === undefined ? {} : { downloadBytesPerSecond: down }),
  }
}

function rateOf(written: string | number | undefined): number | undefined {
  const rate = typeof written === 'string' ? parseRate(written) : written
  return rate === Number.POSITIVE_INFINITY ? undefined : rate
}

import { damaged } from '../errors/index.js'

/** Parses UTF-8 JSON that must be an object. @throws BkpError `damaged` */
export function parseJsonObject(bytes: Uint8Array, what: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw damaged(`${what} is not JSON`, cause)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged(`${what} is not a JSON object`)
  return value as Record<string, unknown>
}

/** ISO 8601 in UTC, with up to nanoseconds. */
export function isTimestamp(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  )
}

/** The order of timestamps. As plain text a whole second comes behind its fractions, since `.` is before `Z`. */
export function compareTimestamps(a: string, b: string): number {
  const [first, second] = [a.slice(0, -1), b.slice(0, -1)]
  return first < second ? -1 : first > second ? 1 : 0
}

/** Text that can be shown to people as it is: short and without control characters, which could steer a terminal. */
export function isShortText(value: unknown): value is string {
  return typeof value === 'string' && /^\P{Cc}{0,256}$/u.test(value)
}

export function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

import type { RawPath } from '@bkp/core'
import prettyBytes from 'pretty-bytes'

/** Bytes for people, e.g. `1.5 GiB`. */
export function bytes(count: number): string {
  return prettyBytes(count, { binary: true })
}

/** `1 file`, `2 files`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}

/** Milliseconds for people, e.g. `2 min 5 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

// Control characters, what turns the direction of writing, and line separators.
const dangerous = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]/gu

/** A name as a terminal may see it: it cannot move the cursor, change colours or pretend to be another. */
export function safe(text: string): string {
  return text.replace(dangerous, (character) => {
    const code = character.charCodeAt(0).toString(16)
    return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`
  })
}

/** Text of several lines; all but the line ends is made {@link safe}. */
export function safeLines(text: string): string {
  return text.split('\n').map(safe).join('\n')
}

/** An argument as a shell takes it back. */
export function quoted(argument: string): string {
  return /^[A-Za-z0-9_@%+=:,./~-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

/** A path in JSON: `pathBase64` only where the bytes are not UTF-8, and then it is the exact one. */
export function jsonPath(path: RawPath): { readonly path: string; readonly pathBase64?: string } {
  const raw = Buffer.from(path.bytes)
  return raw.equals(Buffer.from(path.text))
    ? { path: path.text }
    : { path: path.text, pathBase64: raw.toString('base64') }
}

/** `2026-11-23 18:46:00` in local time. */
export function localTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** The first digits of an id, enough to type. */
export function shortId(id: string): string {
  return id.slice(0, 8)
}

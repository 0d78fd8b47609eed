import type { RawPath } from '@bkp/core'
import prettyBytes from 'pretty-bytes'

/** Bytes for people, e.g. `1.5 GiB`. */
export function bytes(count: number): string {
  return prettyBytes(count, { binary: true })
}

/** Milliseconds for people, e.g. `2 min 5 s`. */
export function duration(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

/** A name from a repository as a terminal may see it: control characters cannot move the cursor or change colours. */
export function safe(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** A path in JSON: `base64` only where the bytes are not UTF-8. */
export function jsonPath(path: RawPath): { readonly path: string; readonly pathBase64?: string } {
  const raw = Buffer.from(path.bytes)
  return raw.equals(Buffer.from(path.text))
    ? { path: path.text }
    : { path: path.text, pathBase64: raw.toString('base64') }
}

/** `2026-11-23 18:46:00` in local time. */
export function localTime(iso: string): string {
  const date = new Date(iso)
  const two = (value: number) => String(value).padStart(2, '0')
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

const kinds: Readonly<Record<string, string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  'character-device': 'c',
  'block-device': 'b',
  socket: 's',
  error: '!',
}

/** `drwxr-xr-x` */
export function modeText(kind: string, mode: number): string {
  const letters = [...'rwxrwxrwx'].map((letter, n) => (mode & (0o400 >> n) ? letter : '-'))
  if (mode & 0o4000) letters[2] = letters[2] === 'x' ? 's' : 'S'
  if (mode & 0o2000) letters[5] = letters[5] === 'x' ? 's' : 'S'
  if (mode & 0o1000) letters[8] = letters[8] === 'x' ? 't' : 'T'
  return `${kinds[kind] ?? '?'}${letters.join('')}`
}

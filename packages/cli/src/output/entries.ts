import type { ListedEntry } from '@bkp/core'
import { jsonPath, localTime, safe } from './text.js'

const kindLetters: Readonly<Record<ListedEntry['kind'], string>> = {
  file: '-',
  directory: 'd',
  symlink: 'l',
  fifo: 'p',
  'character-device': 'c',
  'block-device': 'b',
  socket: 's',
  error: '!',
}

/** One entry as a line for people, as `ls -l` writes it. */
export function entryLine(entry: ListedEntry): string {
  const owner = `${safe(entry.userName ?? String(entry.uid))} ${safe(entry.groupName ?? String(entry.gid))}`
  const time = localTime(new Date(showableMs(entry.mtimeSeconds)))
  const target = entry.linkTarget === undefined ? '' : ` -> ${safe(entry.linkTarget.text)}`
  const error = entry.error === undefined ? '' : `  (${safe(entry.error)})`
  const size = String(entry.sizeBytes).padStart(12)
  return `${modeText(entry)} ${owner} ${size} ${time} ${safe(entry.path.text)}${target}${error}`
}

/** One entry as it stands in JSON. */
export function entryJson(entry: ListedEntry): Readonly<Record<string, unknown>> {
  const { path, kind, mode, uid, gid, userName, groupName, sizeBytes, linkTarget, error } = entry
  return {
    ...jsonPath(path),
    kind,
    mode,
    uid,
    gid,
    ...(userName === undefined ? {} : { userName }),
    ...(groupName === undefined ? {} : { groupName }),
    sizeBytes,
    mtime: isoTime(entry.mtimeSeconds, entry.mtimeNanoseconds),
    mtimeSeconds: entry.mtimeSeconds,
    mtimeNanoseconds: entry.mtimeNanoseconds,
    ...(linkTarget === undefined ? {} : { linkTarget: jsonPath(linkTarget) }),
    ...(error === undefined ? {} : { error }),
  }
}

/** `drwxr-xr-x` */
function modeText({ kind, mode }: ListedEntry): string {
  const letters = [...'rwxrwxrwx'].map((letter, n) => (mode & (0o400 >> n) ? letter : '-'))
  if (mode & 0o4000) letters[2] = letters[2] === 'x' ? 's' : 'S'
  if (mode & 0o2000) letters[5] = letters[5] === 'x' ? 's' : 'S'
  if (mode & 0o1000) letters[8] = letters[8] === 'x' ? 't' : 'T'
  return `${kindLetters[kind]}${letters.join('')}`
}

function isoTime(seconds: number, nanoseconds: number): string {
  const date = new Date(showableMs(seconds)).toISOString().replace(/\.\d+Z$/, '')
  return `${date}.${String(nanoseconds).padStart(9, '0')}Z`
}

// A file system may hold any number; dates that JavaScript cannot show are cut to those it can.
function showableMs(seconds: number): number {
  const limit = 8.64e15
  return Math.min(limit, Math.max(-limit, seconds * 1000))
}

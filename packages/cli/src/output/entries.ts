import type { ListedEntry } from '@bkp/core'
import { jsonPath, localTime, modeText, safe } from './text.js'

/** One entry as a line for people. */
export function entryLine(entry: ListedEntry): string {
  const owner = `${safe(entry.userName ?? String(entry.uid))} ${safe(entry.groupName ?? String(entry.gid))}`
  const time = localTime(timeOf(entry))
  const target = entry.linkTarget === undefined ? '' : ` -> ${safe(entry.linkTarget.text)}`
  const error = entry.error === undefined ? '' : `  (${safe(entry.error)})`
  return `${modeText(entry.kind, entry.mode)} ${owner} ${String(entry.sizeBytes).padStart(12)} ${time} ${safe(entry.path.text)}${target}${error}`
}

/** One entry as it stands in JSON. */
export function entryJson(entry: ListedEntry): Record<string, unknown> {
  const {
    path,
    kind,
    mode,
    uid,
    gid,
    userName,
    groupName,
    sizeBytes,
    mtimeSeconds,
    mtimeNanoseconds,
    linkTarget,
    error,
  } = entry
  return {
    ...jsonPath(path),
    kind,
    mode,
    uid,
    gid,
    userName,
    groupName,
    sizeBytes,
    mtimeSeconds,
    mtimeNanoseconds,
    linkTarget: linkTarget === undefined ? undefined : jsonPath(linkTarget),
    error,
  }
}

// Dates that JavaScript cannot show (a file system may hold any number) are cut to those it can.
function timeOf(entry: ListedEntry): string {
  const limit = 8.64e15
  return new Date(Math.min(limit, Math.max(-limit, entry.mtimeSeconds * 1000))).toISOString()
}

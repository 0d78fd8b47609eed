import type { EntryKind } from '@bkp/plugin-api'
import { maxBlobBytes, maxNameBytes } from './limits.js'

/** The layout of a tree blob (docs/format.md, section 9), for its writer and its reader. */
export const treeMagic = 0x31455254
export const treeHeaderBytes = 8
export const entryFixedBytes = 56

export const entryKinds = [
  'file',
  'directory',
  'symlink',
  'fifo',
  'character-device',
  'block-device',
  'socket',
  'error',
] as const satisfies readonly (EntryKind | 'error')[]

export type TreeEntryKind = (typeof entryKinds)[number]

export const tags = {
  userName: 1,
  groupName: 2,
  xattrs: 3,
  linkTarget: 4,
  device: 5,
  content: 6,
  extents: 7,
  tree: 8,
  error: 9,
  hardLink: 10,
} as const

/** Flag: the file changed while it was read. */
export const changedFlag = 1

/** An entry with its length fits into a blob of its own. */
export const maxEntryBytes = maxBlobBytes - treeHeaderBytes
export const maxMode = 0o7777
const nanosecondsPerSecond = 1_000_000_000

/** Bytes as JavaScript can count them. */
export function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

export function isTime(seconds: number, nanoseconds: number): boolean {
  return Number.isSafeInteger(seconds) && nanoseconds >= 0 && nanoseconds < nanosecondsPerSecond
}

/** Whether a name can stand in a directory: not empty, `.` or `..`, without `/` and NUL, at most 65,535 bytes. */
export function isLegalName(name: Uint8Array): boolean {
  if (name.length > maxNameBytes) return false
  if (name.length === 0 || (name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e))))
    return false
  return !name.includes(0x2f) && !name.includes(0)
}

import type { EntryKind } from '@bkp/plugin-api'

/** Constants and layouts of statx and getdents64 (man 2 statx, getdents), the same on every little-endian processor. */
export const noFollow = 0x100
export const emptyPath = 0x1000
export const basicStats = 0x7ff
export const statBytes = 256
export const listBytes = 64 * 1024
// struct linux_dirent64: u64 inode, i64 offset, u16 record length, u8 type, name ended by NUL.
export const recordLengthAt = 16
export const nameAt = 19
export const kindMask = 0o170000

const kinds = new Map<number, EntryKind>([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
  [0o010000, 'fifo'],
  [0o020000, 'character-device'],
  [0o060000, 'block-device'],
])

/** @param type the bits of `kindMask` */
export function kindOfType(type: number): EntryKind {
  return kinds.get(type) ?? 'socket'
}

/** Whether the name at `start`, ended by NUL, is `.` or `..`. */
export function isDots(listing: Uint8Array, start: number): boolean {
  if (listing[start] !== 0x2e) return false
  return listing[start + 1] === 0 || (listing[start + 1] === 0x2e && listing[start + 2] === 0)
}

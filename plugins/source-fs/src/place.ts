import { closeSync, constants, openSync } from 'node:fs'
import type { Libc } from './libc.js'

/**
 * A directory that is held open, so that what is in it is reached without looking up its path again: no path is too
 * long, and nobody can swap a component meanwhile. Other systems than Linux have no such way in Node; there it is the path.
 */
export interface OpenDirectory {
  readonly descriptor: number | undefined
  /** Prefix of the paths of what is in it, with a final `/`. */
  readonly prefix: Buffer
  /** Who must close it, when that is not Node. */
  readonly libc?: Libc
}

/** For libc: paths that do not begin at a directory. */
export const currentDirectory = -100
export const closeOnExec = 0o2000000
const isLinux = process.platform === 'linux'
// Shorter than PATH_MAX (4,096) by the longest name.
const longestStep = 3800

const directoryFlags = constants.O_RDONLY | (constants.O_DIRECTORY ?? 0)

/** Opens a directory by its absolute path, in several steps when it is too long for one. @throws system errors */
export function openPath(path: Uint8Array, libc?: Libc): OpenDirectory {
  const number = libc?.openat(currentDirectory, withNul(path), directoryFlags | closeOnExec, 0) ?? -1
  if (libc !== undefined && number >= 0) return { ...held(number), libc }
  const bytes = Buffer.from(path)
  if (!isLinux) return { descriptor: undefined, prefix: Buffer.concat([bytes, Buffer.from('/')]) }
  if (bytes.length <= longestStep) return held(openSync(bytes, directoryFlags))
  let descriptor: number | undefined
  let start = 0
  while (start < bytes.length) {
    let end = Math.min(start + longestStep, bytes.length)
    if (end < bytes.length) end = bytes.lastIndexOf(0x2f, end)
    const step: Buffer =
      descriptor === undefined
        ? bytes.subarray(0, end)
        : Buffer.concat([descriptorPrefix(descriptor), bytes.subarray(start, end)])
    const next = openSync(step, directoryFlags)
    if (descriptor !== undefined) closeSync(descriptor)
    descriptor = next
    start = end + 1
  }
  return held(descriptor as number)
}

/** Opens a directory inside another; a symlink in its place is refused (ELOOP or ENOTDIR). */
export function openInside(parent: OpenDirectory, name: Uint8Array): OpenDirectory {
  const path = inside(parent, name)
  if (!isLinux) return { descriptor: undefined, prefix: Buffer.concat([path, Buffer.from('/')]) }
  return held(openSync(path, directoryFlags | constants.O_NOFOLLOW))
}

export function inside(directory: OpenDirectory, name: Uint8Array): Buffer {
  return Buffer.concat([directory.prefix, name])
}

export function closeDirectory({ descriptor, libc }: OpenDirectory): void {
  if (descriptor === undefined) return
  if (libc === undefined) closeSync(descriptor)
  else libc.close(descriptor)
}

/** As C wants it. */
export function withNul(path: Uint8Array): Uint8Array {
  const ended = new Uint8Array(path.length + 1)
  ended.set(path)
  return ended
}

function held(descriptor: number): OpenDirectory {
  return { descriptor, prefix: descriptorPrefix(descriptor) }
}

function descriptorPrefix(descriptor: number): Buffer {
  return Buffer.from(`/proc/self/fd/${descriptor}/`)
}

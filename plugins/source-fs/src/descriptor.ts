import { closeSync, openSync } from 'node:fs'
import type { Libc } from './libc.js'
import { closeOnExec, inside, type OpenDirectory, withNul } from './place.js'

/** An open file, and who must close it: Node keeps book of what it opened itself. */
export interface Descriptor {
  readonly number: number
  readonly libc: Libc | undefined
}

/**
 * Opens an entry of a directory.
 * @throws system errors
 */
export function openEntry(
  directory: OpenDirectory,
  name: Uint8Array,
  flags: number,
  mode: number,
  libc: Libc | undefined,
): Descriptor {
  const { descriptor } = directory
  if (libc !== undefined && descriptor !== undefined) {
    const number = libc.openat(descriptor, withNul(name), flags | closeOnExec, mode)
    if (number >= 0) return { number, libc }
  }
  // Node's own call gives the error its full text.
  return { number: openSync(inside(directory, name), flags, mode), libc: undefined }
}

export function closeDescriptor({ number, libc }: Descriptor): void {
  if (libc === undefined) closeSync(number)
  else libc.close(number)
}

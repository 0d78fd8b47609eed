import { accessSync, constants, mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs'

/** @returns whether it was made; false when something is there */
export function makeFolder(place: Buffer): boolean {
  try {
    mkdirSync(place, 0o700)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

/** @returns whether it was made; false when something is there */
export function makeSymlink(linkTarget: Uint8Array, place: Buffer): boolean {
  try {
    symlinkSync(Buffer.from(linkTarget), place)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  }
}

export function unlinkIfThere(path: Buffer): void {
  try {
    unlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

// A folder that cannot be written to may hold others that can; an empty one is of no use at all.
export function requireUse(root: string): void {
  try {
    accessSync(root, constants.W_OK)
  } catch (error) {
    if (readdirSync(root).length === 0) throw error
  }
}

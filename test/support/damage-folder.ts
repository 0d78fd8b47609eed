import { closeSync, openSync, readdirSync, readSync, statSync, truncateSync, writeSync } from 'node:fs'
import { join } from 'node:path'

/** Paths of all files below a folder of a repository, e.g. of `packs`, in a fixed order. */
export function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort()
}

/** Flips one bit in the middle of a file. */
export function flipBit(path: string): void {
  const file = openSync(path, 'r+')
  try {
    const at = Math.floor(statSync(path).size / 2)
    const byte = Buffer.alloc(1)
    readSync(file, byte, 0, 1, at)
    byte[0] = (byte[0] as number) ^ 0x10
    writeSync(file, byte, 0, 1, at)
  } finally {
    closeSync(file)
  }
}

export function cutInHalf(path: string): void {
  truncateSync(path, Math.floor(statSync(path).size / 2))
}

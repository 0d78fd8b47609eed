import { execFileSync } from 'node:child_process'
import { mkdirSync, statfsSync } from 'node:fs'

const mounted: string[] = []

const run = (command: string, ...args: readonly string[]) =>
  execFileSync(command, args, { stdio: 'pipe', encoding: 'utf8' })

/** A disk in memory. Mounting needs root: where it is refused the test fails, and says so. */
export function mountMemory(folder: string, sizeMiB: number): void {
  mkdirSync(folder, { recursive: true })
  run('mount', '-t', 'tmpfs', '-o', `size=${sizeMiB}m,mode=777`, 'bkp-test', folder)
  mounted.push(folder)
}

export function resizeMemory(folder: string, sizeMiB: number): void {
  run('mount', '-o', `remount,size=${sizeMiB}m`, folder)
}

/** Leaves a disk in memory room for a mebibyte more, also while somebody writes to it. */
export function fillMemory(folder: string): void {
  for (let attempt = 1; ; attempt++) {
    const { blocks, bfree, bsize } = statfsSync(folder)
    try {
      resizeMemory(folder, Math.ceil(((blocks - bfree) * bsize) / 2 ** 20) + 1)
      return
    } catch (error) {
      // More than that has been written meanwhile.
      if (attempt === 50) throw error
    }
  }
}

/** Shows a file or folder at another place as well. */
export function mountBound(from: string, to: string, ...options: readonly string[]): void {
  run('mount', '--bind', from, to)
  mounted.push(to)
  if (options.length > 0) run('mount', '-o', ['remount', 'bind', ...options].join(), to)
}

/** Mounts a file that holds a file system. */
export function mountImage(image: string, folder: string, ...options: readonly string[]): void {
  mkdirSync(folder, { recursive: true })
  run('mount', '-o', ['loop', ...options].join(), image, folder)
  mounted.push(folder)
}

export function unmount(folder: string): void {
  run('umount', folder)
  mounted.splice(mounted.indexOf(folder), 1)
}

/** Of a server that may have files open there for a moment longer: gone from here at once, and with the last of them for good. */
export function unmountInUse(folder: string): void {
  run('umount', '--lazy', folder)
  mounted.splice(mounted.indexOf(folder), 1)
}

export function unmountAll(): void {
  for (const folder of [...mounted].reverse()) unmount(folder)
}

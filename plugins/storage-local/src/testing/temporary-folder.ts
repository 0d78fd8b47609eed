import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const nobody = 65_534

/** Runs `action` with a new empty folder, which others may look into. */
export async function withFolder(action: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-local-'))
  chmodSync(folder, 0o755)
  try {
    await action(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export interface SmallDisk {
  readonly folder: string
  /** Mounts it again, so that nothing can be written. */
  makeReadOnly(): void
}

/** Where tests may mount disks and be other users; CI insists on it by BKP_TEST_ALL=1, and `npm test` says when it is not so. */
export const ownsMachine =
  process.env.BKP_TEST_ALL === '1' || (process.platform === 'linux' && process.getuid?.() === 0)

/** Runs `action` with a disk of its own. Needs root on Linux, and fails where it cannot mount. */
export function withSmallDisk(options: string, action: (disk: SmallDisk) => Promise<void>): Promise<void> {
  return withFolder(async (folder) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'bkp-test', folder])
    try {
      await action({ folder, makeReadOnly: () => execFileSync('mount', ['-o', 'remount,ro', folder]) })
    } finally {
      execFileSync('umount', [folder])
    }
  })
}

/** Whether an exFAT disk can be made and mounted here; an error where all tests were asked for. */
export function canMountExfat(): boolean {
  if (!ownsMachine) return false
  const missing = ['mkfs.exfat', 'mount.exfat-fuse'].filter(
    (tool) => spawnSync('sh', ['-c', 'command -v "$1"', 'sh', tool]).status !== 0,
  )
  if (missing.length > 0 && process.env.BKP_TEST_ALL === '1')
    throw new Error(`All tests were asked for (BKP_TEST_ALL=1), and some need ${missing.join(', ')}`)
  return missing.length === 0
}

/** Runs `action` with a disk as it is sold: exFAT, which knows no hard links. */
export function withExfatDisk(action: (folder: string) => Promise<void>): Promise<void> {
  return withFolder(async (work) => {
    const image = join(work, 'image')
    const folder = join(work, 'disk')
    mkdirSync(folder)
    writeFileSync(image, '')
    truncateSync(image, 64 * 1024 * 1024)
    execFileSync('mkfs.exfat', [image], { stdio: 'ignore' })
    execFileSync('mount', ['-t', 'exfat-fuse', '-o', 'loop', image, folder], { stdio: 'ignore' })
    try {
      await action(folder)
    } finally {
      execFileSync('umount', [folder])
    }
  })
}

/** Runs `action` with the rights of a user who owns nothing but `folder`, if that is given. */
export async function asOrdinaryUser(folder: string | undefined, action: () => Promise<void>): Promise<void> {
  if (process.getuid?.() !== 0) return action()
  if (folder !== undefined) chownSync(folder, nobody, nobody)
  process.seteuid?.(nobody)
  try {
    await action()
  } finally {
    process.seteuid?.(0)
  }
}

/** Whether an administrator can have folders only take names (chattr +a) here: on ext4 or alike, as root. */
export function canAppendOnly(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'bkp-append-'))
  try {
    execFileSync('chattr', ['+a', folder], { stdio: 'ignore' })
    execFileSync('chattr', ['-a', folder], { stdio: 'ignore' })
    return true
  } catch {
    return false
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The names of all files below a folder, also those that are no objects. */
export function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => !entry.isDirectory())
  return files.map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1)).sort()
}

import type { Stats } from 'node:fs'
import { lstat, stat } from 'node:fs/promises'
import { BkpError } from '../../errors/index.js'

/**
 * Makes sure that nobody but this user and root may change a file or folder: what others can write decides nothing.
 * Windows has no such modes; there the folder's place in the user's profile has to do.
 *
 * @returns false when it is not there
 * @throws BkpError `plugin-refused`
 */
export async function requireOwn(path: string, kind: 'file' | 'folder'): Promise<boolean> {
  let found: Stats
  try {
    // A data folder may be a link to another disk; the lock file never is one.
    found = kind === 'file' ? await lstat(path) : await stat(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
  if (kind === 'file' ? !found.isFile() : !found.isDirectory()) throw refused(path, `is not a ${kind}`, 'Move it away')
  const reason = foreignHand(found)
  if (reason === undefined) return true
  const mode = kind === 'file' ? '600' : '700'
  throw refused(
    path,
    reason,
    `See that nobody changed it (bkp plugins:audit tells of plugins), then: chmod ${mode} ${path}`,
  )
}

/** Who else may write it; undefined when nobody. */
export function foreignHand({ uid, mode }: Pick<Stats, 'uid' | 'mode'>): string | undefined {
  const self = process.getuid?.()
  if (self === undefined) return undefined
  if (uid !== self && uid !== 0) return `belongs to the user ${uid}, and you are ${self}`
  return (mode & 0o022) === 0 ? undefined : 'may be written by other users'
}

function refused(path: string, reason: string, hint: string): BkpError {
  return new BkpError('plugin-refused', `${path} ${reason}`, { hint })
}

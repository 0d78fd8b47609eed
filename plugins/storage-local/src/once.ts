import { createHash } from 'node:crypto'
import { link, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSystemError, look, makeEmpty, unlinkIfThere } from './files.js'
import { temporaryFolder } from './temporary-files.js'

/** A claim is held for one look and one rename. One that is there for longer is of a writer that was killed. */
const claimLifeMs = 30_000
const pollMs = 10

/**
 * Gives a file its name, unless that is taken: rejects with EEXIST then. The temporary file may be there still afterwards.
 *
 * A hard link does that in one step. FAT, exFAT and many network shares have none; there the name is claimed by an empty file
 * in `@tmp` that only one writer can make, and whoever has the claim looks and renames.
 */
export async function nameOnce(root: string, temporary: string, key: string, signal?: AbortSignal): Promise<void> {
  const path = join(root, key)
  try {
    await link(temporary, path)
  } catch (error) {
    if (!lacksLinks(error)) throw error
    await nameByClaim(root, temporary, key, signal)
  }
}

async function nameByClaim(root: string, temporary: string, key: string, signal?: AbortSignal): Promise<void> {
  const path = join(root, key)
  const name = createHash('sha256').update(key).digest('hex').slice(0, 32)
  const claim = join(root, temporaryFolder, `claim-${name}`)
  await take(claim, path, signal)
  try {
    if ((await look(path)) !== undefined) throw alreadyThere(path)
    await rename(temporary, path)
  } finally {
    await unlinkIfThere(claim)
  }
}

/** There is no event to wait for: the other writer may be on another machine. */
async function take(claim: string, path: string, signal: AbortSignal | undefined): Promise<void> {
  let waitedMs = 0
  for (;;) {
    try {
      await makeEmpty(claim)
      return
    } catch (error) {
      if (!isSystemError(error, 'EEXIST')) throw error
    }
    if ((await look(path)) !== undefined) throw alreadyThere(path)
    if (waitedMs >= claimLifeMs) {
      await unlinkIfThere(claim)
      waitedMs = 0
    }
    await sleep(pollMs, undefined, { signal })
    waitedMs += pollMs
  }
}

/** What file systems without hard links say; of FAT and exFAT it is EPERM. */
function lacksLinks(error: unknown): boolean {
  return ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].some((code) => isSystemError(error, code))
}

function alreadyThere(path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`EEXIST: file already exists, '${path}'`), { code: 'EEXIST' })
}

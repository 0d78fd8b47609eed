import { createHash, randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { look, readFolder } from './files.js'

/** Where objects are written before they get their names. No key may contain this character, so none can lie here. */
export const temporaryFolder = '@tmp'

/** A temporary file that old belongs to a run that is dead. */
const temporaryLifeMs = 24 * 60 * 60_000
/** Tells our own temporary files from those of other machines on a shared disk. */
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 12)

/** A name that no one else has, below the root. */
export function temporaryName(): string {
  return join(temporaryFolder, `${machine}-${process.pid}-${randomBytes(8).toString('hex')}`)
}

/** Removes temporary files of runs that were killed. */
export async function removeStale(root: string, now: number): Promise<void> {
  const folder = join(root, temporaryFolder)
  for (const { name } of await readFolder(folder)) {
    const path = join(folder, name)
    const found = await look(path).catch(() => undefined)
    const isOld = found !== undefined && now - found.mtimeMs > temporaryLifeMs
    const [owner, pid] = name.split('-')
    const isDead = owner === machine && !isAlive(Number(pid))
    // Whoever may not delete there leaves it to whoever may.
    if (isOld || isDead) await rm(path, { force: true }).catch(() => undefined)
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

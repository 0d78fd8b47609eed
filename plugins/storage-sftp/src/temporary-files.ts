import { randomBytes } from 'node:crypto'
import type { Logger } from '@bkp/plugin-api'
import { ignoreRefusal, isRefusal } from './errors.js'
import { join, undefinedIfMissing } from './folders.js'
import type { Session } from './session.js'

/** Where objects are written before they get their names. No key may contain this character, so none can lie here. */
export const temporaryFolder = '@tmp'

/** A temporary file that was not written to for so long belongs to a run that is dead. */
const temporaryLifeSeconds = 24 * 60 * 60

/**
 * A name that no one else has, below the root. It does not tell machine and process as those of local repositories do:
 * machines of the same name that share a server would take each other's for their own.
 */
export function temporaryName(): string {
  return `${temporaryFolder}/sftp-${randomBytes(12).toString('hex')}`
}

/** Removes temporary files of runs that were killed. By the clock of the server, since times of files are by that. */
export async function removeStale(session: Session, root: string, localNow: number, log: Logger): Promise<void> {
  const folder = join(root, temporaryFolder)
  const entries = (await session.readFolder(folder).catch(undefinedIfMissing)) ?? []
  const lastWritten = (attributes: { mtime: number }) => attributes.mtime
  const isOldHere = entries.some(({ attrs }) => localNow / 1000 - lastWritten(attrs) > temporaryLifeSeconds)
  if (!isOldHere) return
  try {
    const now = await clockOf(session, root)
    for (const { filename, attrs } of entries) {
      if (now - lastWritten(attrs) > temporaryLifeSeconds) await session.unlink(join(folder, filename))
    }
  } catch (error) {
    // Whoever may not write or delete there leaves it to whoever may.
    if (!isRefusal(error)) throw error
    log.debug('Old temporary files stay', { folder, reason: (error as Error).message })
  }
}

/**
 * Seconds since 1970, as the server takes them for files that are written now. The file has one name for all, so that
 * where nothing can be removed not every run leaves one.
 */
async function clockOf(session: Session, root: string): Promise<number> {
  const path = join(root, `${temporaryFolder}/clock`)
  const handle = await session.open(path, 'w')
  try {
    await session.write(handle, Buffer.from('.'), 0, 1)
    return (await session.handleStat(handle)).mtime
  } finally {
    await session.close(handle)
    await session.unlink(path).catch(ignoreRefusal)
  }
}

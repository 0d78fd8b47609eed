import { PortError } from '@bkp/plugin-api'
import { ignoreRefusal, isMissing, isRefusal, toWriteError } from './errors.js'
import { join, look, parentOf, syncFolder } from './folders.js'
import type { Session } from './session.js'
import { temporaryName } from './temporary-files.js'
import { writeAll } from './transfer.js'

export interface Publication {
  readonly session: Session
  readonly root: string
  readonly key: string
  readonly data: Uint8Array
  readonly mode: 'replace' | 'create'
  readonly isDurable: boolean
  readonly signal: AbortSignal | undefined
  /** Called when the object is about to be seen: from here on an abort comes too late. Throws if it came before. */
  readonly pointOfNoReturn: () => void
}

/** Where temporary files stay that could not be removed, because the connection was lost. */
export type Leftovers = Set<string>

/** Writes under another name, and gives the file its name when it is whole and durable. */
export async function publish(publication: Publication, leftovers: Leftovers): Promise<void> {
  const { session, root, key, mode, isDurable } = publication
  const path = join(root, key)
  // Saves the transfer of what is there already. What decides comes at the end.
  if (mode === 'create' && (await look(session, path)) !== undefined) throw taken(key)
  const temporary = join(root, temporaryName())
  try {
    await writeFile(publication, temporary)
    publication.pointOfNoReturn()
    if (mode === 'create') await giveNewName(publication, temporary, path)
    else await replace(publication, temporary, path)
  } catch (error) {
    await removeLeftover(session, temporary, leftovers)
    throw error
  }
  if (isDurable) await syncFolder(session, join(root, parentOf(key)))
}

/** Whether a `create` that races with others is won by exactly one. */
export function createsAtomically({ abilities }: Session): boolean {
  return abilities.exclusiveRename || abilities.hardLink
}

/** Removes a temporary file, or keeps its name for later when there is no connection. */
export async function removeLeftover(session: Session, path: string, leftovers: Leftovers): Promise<void> {
  leftovers.delete(path)
  try {
    await session.unlink(path)
  } catch (error) {
    // A refusal: gone already, or never made; or this user may not remove at all, and it stays until somebody may.
    if (!isRefusal(error)) leftovers.add(path)
  }
}

async function writeFile(publication: Publication, path: string): Promise<void> {
  const { session, root, key, data, isDurable, signal } = publication
  const failed = async (error: unknown) =>
    isMissing(error) ? error : toWriteError(error, `Cannot store ${key}`, session, root, data.length)
  const handle = await session.open(path, 'wx').catch(async (error: unknown) => {
    throw await failed(error)
  })
  let isClosed = false
  try {
    await writeAll(session, handle, data, signal)
    if (isDurable && session.abilities.sync) await session.sync(handle)
    signal?.throwIfAborted()
    isClosed = true
    await session.close(handle)
  } catch (error) {
    const reported = signal?.aborted ? error : await failed(error)
    if (!isClosed) await session.close(handle).catch(() => undefined)
    throw reported
  }
}

/** Gives a file its name where nobody has that name. */
async function giveNewName({ session, key }: Publication, temporary: string, path: string): Promise<void> {
  const { abilities } = session
  try {
    // OpenSSH's rename makes a hard link and takes the old name away, which needs no right to remove.
    if (abilities.exclusiveRename) return await session.rename(temporary, path)
    if (abilities.hardLink) await session.hardLink(temporary, path)
  } catch (error) {
    throw await whyNotNamed(session, key, path, error)
  }
  if (abilities.hardLink) {
    // Whoever may not remove keeps a second name, which nobody sees.
    await session.unlink(temporary).catch(ignoreRefusal)
    return
  }
  if ((await look(session, path)) !== undefined) throw taken(key)
  await session.rename(temporary, path)
}

async function replace({ session }: Publication, temporary: string, path: string): Promise<void> {
  try {
    if (session.abilities.replacingRename) return await session.replacingRename(temporary, path)
    await session.rename(temporary, path)
  } catch (error) {
    const found = isRefusal(error) && !isMissing(error) ? await look(session, path) : undefined
    if (found?.isDirectory()) throw folderInTheWay(path)
    if (found === undefined || session.abilities.replacingRename) throw error
    // The one way that is left. For a moment there is no object; who dies here leaves none.
    await session.unlink(path)
    await session.rename(temporary, path)
  }
}

async function whyNotNamed(session: Session, key: string, path: string, error: unknown): Promise<unknown> {
  if (!isRefusal(error) || isMissing(error)) return error
  const found = await look(session, path)
  if (found === undefined) return error
  return found.isDirectory() ? folderInTheWay(path) : taken(key)
}

function taken(key: string): PortError {
  return new PortError('already-exists', `There is an object ${key} already`)
}

function folderInTheWay(path: string): PortError {
  return new PortError('unsupported', `${path} is a folder: in folders no object can lie where other keys go on`)
}

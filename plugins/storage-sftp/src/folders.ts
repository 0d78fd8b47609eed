import { PortError } from '@bkp/plugin-api'
import type { Stats } from 'ssh2'
import { isMissing, isRefusal, status } from './errors.js'
import { type Session, statusOf } from './session.js'

/** The folders of a repository on the server, each known to be a real one before anything below it is touched. */
export class Folders {
  readonly #root: string
  readonly #isDurable: boolean
  readonly #known = new Set<string>()
  readonly #made: string[] = []

  constructor(root: string, isDurable: boolean) {
    this.#root = root
    this.#isDurable = isDurable
  }

  /** Forgets what was known, in case others have removed folders. */
  forget(): void {
    this.#known.clear()
  }

  /**
   * Refuses links: `list` could not follow them without end, and what it does not show must not be stored.
   * @param folder relative to the root, empty for the root itself
   */
  async check(session: Session, folder: string): Promise<void> {
    if (folder === '' || this.#known.has(folder)) return
    await this.check(session, parentOf(folder))
    const path = join(this.#root, folder)
    const found = await look(session, path)
    if (found?.isSymbolicLink()) throw linkRefused(path)
    if (found?.isDirectory()) this.#known.add(folder)
  }

  /** Makes a folder below the root; when this resolves its name is durable. Never makes the root. */
  async make(session: Session, folder: string): Promise<void> {
    if (folder === '' || this.#known.has(folder)) return
    await this.make(session, parentOf(folder))
    const path = join(this.#root, folder)
    const found = await look(session, path)
    if (found === undefined) await this.#makeOne(session, folder, path)
    else refuseUnlessFolder(found, path)
    // Also where another writer has made it, who may not have got so far.
    if (this.#isDurable) await syncFolder(session, join(this.#root, parentOf(folder)))
    this.#known.add(folder)
  }

  /** Removes what it made and is empty again, the last first, until one is in use: who only tried leaves nothing behind. */
  async removeUnused(session: Session): Promise<void> {
    try {
      for (const folder of this.#made.splice(0).reverse()) {
        const path = join(this.#root, folder)
        // Not every server can be trusted to refuse what is not empty.
        if ((await session.readFolder(path)).length > 0) return
        await session.removeFolder(path)
      }
    } catch {
      // In use, gone, or not ours to remove: an empty folder does no harm.
    }
  }

  async #makeOne(session: Session, folder: string, path: string): Promise<void> {
    try {
      await session.makeFolder(path)
      this.#made.push(folder)
    } catch (error) {
      // A root that is gone is a disk that is not mounted: what lies under the mount point must stay as it is.
      if (isMissing(error) && !(await isFolder(session, this.#root))) throw rootMissing(this.#root)
      // Many servers say no more than "Failure" where another writer was faster.
      const found = isRefusal(error) ? await look(session, path) : undefined
      if (found === undefined) throw error
      refuseUnlessFolder(found, path)
    }
  }
}

/** Makes the folder of a repository with those above it, durably. */
export async function makeRoot(session: Session, root: string): Promise<void> {
  const found = await statIfThere(session, root)
  if (found?.isDirectory()) return
  if (found !== undefined) throw new PortError('already-exists', `${root} is there on the server, and is no folder`)
  const parent = root.replace(/\/[^/]*$/, '') || '/'
  if (parent !== root) await makeRoot(session, parent)
  try {
    await session.makeFolder(root)
  } catch (error) {
    if (!(await isFolder(session, root))) throw error
  }
  await syncFolder(session, parent)
}

/**
 * Makes names in a folder durable. A server that opens no folder, or knows no fsync, cannot: there the name is as durable
 * as it gets.
 */
export async function syncFolder(session: Session, path: string): Promise<void> {
  if (!session.abilities.sync) return
  let handle: Buffer
  try {
    handle = await session.open(path, 'r')
  } catch (error) {
    if (!isRefusal(error)) throw error
    return
  }
  // The server works one call after the other; nobody has to wait for this one.
  const leave = () => session.close(handle).catch(() => undefined)
  try {
    await session.sync(handle)
  } catch (error) {
    const isUnknown = ([status.badMessage, status.unsupported, status.permissionDenied] as unknown[]).includes(
      statusOf(error),
    )
    if (!isUnknown) throw error
  } finally {
    void leave()
  }
}

/** What lies at a path itself, also when that is a link. */
export async function look(session: Session, path: string): Promise<Stats | undefined> {
  return session.linkStat(path).catch(undefinedIfMissing)
}

/** Whether a path leads to a folder, also by way of links. */
export async function isFolder(session: Session, path: string): Promise<boolean> {
  return (await statIfThere(session, path))?.isDirectory() ?? false
}

function statIfThere(session: Session, path: string): Promise<Stats | undefined> {
  return session.stat(path).catch(undefinedIfMissing)
}

export function undefinedIfMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined
  throw error
}

/** @param path relative, with `/`, empty for `folder` itself */
export function join(folder: string, path: string): string {
  if (path === '') return folder
  return folder.endsWith('/') ? `${folder}${path}` : `${folder}/${path}`
}

/** The folder that a key lies in, empty for the root. */
export function parentOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf('/')))
}

export function rootMissing(root: string): PortError {
  return new PortError('not-found', `There is no folder ${root} on the server`, {
    hint: 'Check the path, and that the disk is mounted there',
  })
}

export function linkRefused(path: string): PortError {
  return new PortError('unsupported', `${path} is a symbolic link, which may not lie inside of a repository`, {
    hint: 'Put the folder itself there, or mount it there; the folder of the repository as a whole may be a link',
  })
}

function refuseUnlessFolder(found: Stats, path: string): void {
  if (found.isSymbolicLink()) throw linkRefused(path)
  if (!found.isDirectory()) {
    throw new PortError('unsupported', `${path} is a file: in folders no key can go on below the key of an object`)
  }
}

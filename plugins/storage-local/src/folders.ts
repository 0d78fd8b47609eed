import { mkdir, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PortError } from '@bkp/plugin-api'
import { isFolder, isSystemError, look, lookAtRoot, type RootIdentity, syncFolder } from './files.js'

/** The folders of a repository, each known to be a real one before anything below it is touched. */
export class Folders {
  readonly #root: string
  readonly #opened: RootIdentity
  readonly #known = new Set<string>()
  readonly #made: string[] = []

  /** @param opened what the root was when the repository was opened */
  constructor(root: string, opened: RootIdentity) {
    this.#root = root
    this.#opened = opened
  }

  /**
   * A mount point stays when its disk is unmounted or pulled out: what is written then would land on the disk below, and what
   * is read would seem to be lost. Both numbers are others then; one alone may change where a share is mounted anew.
   * @throws PortError `not-found` or `offline` when the folder is not the one that was opened
   */
  async checkRoot(): Promise<void> {
    const found = await lookAtRoot(this.#root)
    if (found === undefined) throw rootMissing(this.#root)
    if (found.dev === this.#opened.dev || found.ino === this.#opened.ino) return
    throw anotherFolder(this.#root, 'its disk is gone')
  }

  /**
   * Forgets which folders were there, since one is not any more: others may tidy empty ones away. Where the root has another
   * number too, all of them are gone.
   * @throws PortError `not-found` or `offline`
   */
  async lookAgain(): Promise<void> {
    const found = await lookAtRoot(this.#root)
    if (found === undefined) throw rootMissing(this.#root)
    if (found.dev !== this.#opened.dev || found.ino !== this.#opened.ino)
      throw anotherFolder(this.#root, 'it was moved away, or its disk is gone')
    this.forget()
  }

  forget(): void {
    this.#known.clear()
  }

  /**
   * Refuses links: `list` could not follow them without end, and what it does not show must not be stored.
   * @param folder relative to the root, `.` for the root itself
   */
  async check(folder: string): Promise<void> {
    if (folder === '.' || this.#known.has(folder)) return
    await this.check(dirname(folder))
    const found = await look(join(this.#root, folder))
    if (found?.isSymbolicLink()) throw linkRefused(join(this.#root, folder))
    if (found?.isDirectory()) this.#known.add(folder)
  }

  /** Makes a folder below the root; when this resolves its name is durable. Never makes the root. */
  async make(folder: string): Promise<void> {
    if (folder === '.' || this.#known.has(folder)) return
    await this.make(dirname(folder))
    const path = join(this.#root, folder)
    try {
      await mkdir(path, { mode: 0o700 })
      this.#made.push(folder)
    } catch (error) {
      // A root that is gone is a disk that is not mounted: what lies under the mount point must stay as it is.
      if (isSystemError(error, 'ENOENT') && !(await isFolder(this.#root))) throw rootMissing(this.#root)
      if (!isSystemError(error, 'EEXIST')) throw error
      await this.#checkExisting(path)
    }
    // Also where another writer has made it, who may not have got so far.
    await syncFolder(dirname(path))
    this.#known.add(folder)
  }

  /** Removes what it made and is empty again, the last first, until one is in use: who only tried leaves nothing behind. */
  async removeUnused(): Promise<void> {
    try {
      if (this.#made.length > 0) await this.checkRoot()
      for (const folder of this.#made.splice(0).reverse()) await rmdir(join(this.#root, folder))
    } catch {
      // In use, gone with its disk, or not ours to remove: an empty folder does no harm.
    }
  }

  async #checkExisting(path: string): Promise<void> {
    const found = await look(path)
    if (found?.isSymbolicLink()) throw linkRefused(path)
    if (found !== undefined && !found.isDirectory()) {
      throw new PortError('unsupported', `${path} is a file: on a disk no key can go on below the key of an object`)
    }
  }
}

function anotherFolder(root: string, why: string): PortError {
  return new PortError('offline', `Another folder lies at ${root} than when it was opened: ${why}`, {
    hint: 'Connect and mount the disk again, then run the same command again',
  })
}

export function rootMissing(root: string): PortError {
  return new PortError('not-found', `There is no folder ${root}`, {
    hint: 'Check the path, and that the disk is mounted',
  })
}

export function linkRefused(path: string): PortError {
  return new PortError('unsupported', `${path} is a symbolic link, which may not lie inside of a repository`, {
    hint: 'Put the folder itself there, or mount it there; the folder of the repository as a whole may be a link',
  })
}

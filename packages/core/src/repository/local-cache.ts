import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile, temporarySuffix } from '../files/replace-file.js'

const mostBytes = 128 * 1024 * 1024
/** Of one folder, where nothing else is said; the ones that were not written for longest go first. */
const defaultMostFiles = 32
/** A file that a killed process was writing is nobody's by then. */
const abandonedAfterMs = 3_600_000
const tagName = 'CACHEDIR.TAG'
const tag =
  'Signature: 8a477f597d28d172789f06886806bc55\n# This folder holds what makes runs of bkp faster. Nothing is lost with it.\n'

/**
 * Files in a folder of this user that make runs faster. Whoever reads one must be able to tell whether it is sound: it may
 * have been cut short, swapped or changed. Nothing here fails a run: what cannot be read is absent, and what cannot be
 * written is not kept.
 */
export class LocalCache {
  readonly #root: string
  readonly #folder: string
  readonly #now: () => number
  readonly #mostFiles: number
  #tidying: Promise<void> | undefined

  /**
   * @param root absolute path of the folder of all repositories
   * @param name of the folder in it
   * @param mostFiles how many are left when the next run begins to write
   */
  constructor(root: string, name: string, now: () => number, mostFiles = defaultMostFiles) {
    this.#root = root
    this.#folder = join(root, name)
    this.#now = now
    this.#mostFiles = mostFiles
  }

  /** @returns undefined when there is none that can be read */
  async read(name: string): Promise<Uint8Array | undefined> {
    try {
      const file = await open(join(this.#folder, name))
      try {
        const { size } = await file.stat()
        if (size > mostBytes) return undefined
        // Shared, so that threads need no copy.
        const bytes = new Uint8Array(new SharedArrayBuffer(size))
        const { bytesRead } = await file.read(bytes, 0, size, 0)
        return bytes.subarray(0, bytesRead)
      } finally {
        await file.close()
      }
    } catch (error) {
      return nothing(error)
    }
  }

  /** Replaces a file at once, so that other runs see the old one or the new one. */
  async write(name: string, parts: readonly Uint8Array[]): Promise<void> {
    if (parts.reduce((sum, part) => sum + part.length, 0) > mostBytes) return
    try {
      const isNew = (await mkdir(this.#folder, { recursive: true, mode: 0o700 })) !== undefined
      if (isNew) await writeFile(join(this.#root, tagName), tag, { mode: 0o600 })
      this.#tidying ??= this.#tidy(name)
      await this.#tidying
      // A reader notices what a crash left of it.
      await replaceFile(join(this.#folder, name), parts, { isDurable: false })
    } catch (error) {
      nothing(error)
    }
  }

  async #tidy(kept: string): Promise<void> {
    const names = await readdir(this.#folder)
    const isFull = names.length > this.#mostFiles
    if (!isFull && !names.some((name) => name.endsWith(temporarySuffix))) return
    const found = await Promise.all(
      names.map(async (name) => ({ name, mtimeMs: (await stat(join(this.#folder, name))).mtimeMs })),
    )
    const files = found.filter(({ name }) => name !== kept).sort((a, b) => b.mtimeMs - a.mtimeMs)
    const lasting = files.filter(({ name }) => !name.endsWith(temporarySuffix))
    const abandoned = files.filter(
      ({ name, mtimeMs }) => name.endsWith(temporarySuffix) && this.#now() - mtimeMs > abandonedAfterMs,
    )
    for (const { name } of [...lasting.slice(this.#mostFiles - 1), ...abandoned])
      await rm(join(this.#folder, name), { force: true })
  }
}

/** System errors mean that there is no cache; others are mistakes of ours. */
function nothing(error: unknown): undefined {
  if (typeof (error as NodeJS.ErrnoException | null)?.code !== 'string') throw error
  return undefined
}

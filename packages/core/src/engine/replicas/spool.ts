import { mkdir, open, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PortError } from '@bkp/plugin-api'
import { objectNameOf } from '../../format/ids.js'

/** A folder that nothing was put into or taken from for so long is that of a killed run. */
const abandonedAfterMs = 24 * 3_600_000

export interface SpoolOptions {
  /** A folder of this run's own, in one that only such folders are in; made when it is first needed, removed by `close`. */
  readonly directory: string
  readonly limitBytes: number
}

/**
 * Packs that wait on this machine's disk for a slow destination, sealed as they are. Disposable: a destination's snapshot is
 * written only when the destination itself has all its packs.
 */
export class Spool {
  readonly #options: SpoolOptions
  readonly #held = new Map<string, { users: number; readonly sizeBytes: number; readonly writing: Promise<void> }>()
  #usedBytes = 0
  #made: Promise<unknown> | undefined

  constructor(options: SpoolOptions) {
    this.#options = options
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /**
   * Keeps a pack until as many as asked for it have let go of it.
   * @returns undefined when there is no room; resolves when the memory of `bytes` is free again
   */
  keep(name: string, bytes: Uint8Array): Promise<void> | undefined {
    const known = this.#held.get(name)
    if (known !== undefined) {
      known.users++
      return known.writing
    }
    if (this.#usedBytes + bytes.length > this.#options.limitBytes) return undefined
    this.#usedBytes += bytes.length
    const writing = this.#write(name, bytes)
    this.#held.set(name, { users: 1, sizeBytes: bytes.length, writing })
    return writing
  }

  /**
   * @param into as long as the pack
   * @throws PortError `corrupt` when this disk gives other bytes than it was given: they must not get that name
   */
  async read(name: string, into: Uint8Array): Promise<Uint8Array> {
    await this.#held.get(name)?.writing
    const length = await readInto(into, join(this.#options.directory, name))
    if (objectNameOf(into.subarray(0, length)) !== name)
      throw new PortError('corrupt', `the pack ${name} came back from ${this.#options.directory} with other bytes`)
    return into
  }

  async letGo(name: string): Promise<void> {
    const held = this.#held.get(name)
    if (held === undefined) return
    held.users--
    if (held.users > 0) return
    this.#held.delete(name)
    // What could not be written takes no room either.
    await held.writing.catch(() => undefined)
    this.#usedBytes -= held.sizeBytes
    // What cannot be removed now goes with the folder in the end.
    await rm(join(this.#options.directory, name), { force: true }).catch(() => undefined)
  }

  async close(): Promise<void> {
    if (this.#made === undefined) return
    await Promise.allSettled([...this.#held.values()].map(({ writing }) => writing))
    await rm(this.#options.directory, { recursive: true, force: true })
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    this.#made ??= this.#make()
    await this.#made
    await writeFile(join(this.#options.directory, name), bytes, { mode: 0o600, flag: 'wx' })
  }

  async #make(): Promise<void> {
    const { directory } = this.#options
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const parent = dirname(directory)
    const names = await readdir(parent)
    // What cannot be removed now is left to a later run.
    await Promise.allSettled(names.map((name) => removeAbandoned(join(parent, name))))
  }
}

/** @returns how much there was, at most as much as goes in */
async function readInto(into: Uint8Array, path: string): Promise<number> {
  const file = await open(path)
  try {
    let done = 0
    while (done < into.length) {
      const { bytesRead } = await file.read(into, done, into.length - done, done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return done
  } finally {
    await file.close()
  }
}

/** A run that lives after all and misses its packs loses nothing: its destination lags, and the next run brings it up. */
async function removeAbandoned(folder: string): Promise<void> {
  const { mtimeMs } = await stat(folder)
  if (Date.now() - mtimeMs > abandonedAfterMs) await rm(folder, { recursive: true, force: true })
}

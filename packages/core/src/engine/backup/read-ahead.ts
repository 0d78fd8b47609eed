import { isPortError, type Source, type SourceEntry, type SourceErrorEntry, type SourceModule } from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import { cacheDirectoryTag, Excludes, isExcludedPath } from './excludes.js'
import { joinPath } from './paths.js'
import type { ScanDirectory, ScanSource } from './scan-context.js'

/** What is going to be scanned, told to a thread that has nothing else to do yet. */
export interface ReadAheadOrder {
  /** Module of the source. */
  readonly url: string
  readonly configuration: Readonly<Record<string, unknown>>
  readonly paths: readonly Uint8Array[]
  readonly excludes: readonly string[]
  readonly excludeCaches: boolean
  readonly oneFileSystem: boolean
}

export type Listed = SourceEntry | SourceErrorEntry

// A listed entry takes some 300 bytes of memory.
const mostEntries = 60_000
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Directories that were listed before the scan began, in its order. */
export class ReadAhead {
  readonly #listings = new Map<string, readonly Listed[]>()
  #entries = 0

  /**
   * Lists until everything is listed, or it is enough.
   * @param isOver whether the scan can begin
   */
  async run(order: ReadAheadOrder, isOver: () => boolean): Promise<void> {
    const module = ((await import(order.url)) as { default: SourceModule }).default
    if (module.canReadAhead !== true) return
    const source = await module.openSource({ configuration: order.configuration, log: silent })
    const excludes = new Excludes(order.excludes)
    try {
      for (const root of order.paths) {
        let device: bigint | undefined
        const stack = [root]
        for (let path = stack.pop(); path !== undefined; path = stack.pop()) {
          if (isOver() || this.#entries >= mostEntries) return
          const entries = await this.#list(source, path)
          if (order.excludeCaches && entries.some(({ name }) => Buffer.from(name).toString() === cacheDirectoryTag))
            continue
          for (const entry of entries.toReversed()) {
            if (entry.kind !== 'directory') continue
            device ??= path === root ? entry.device : undefined
            if (order.oneFileSystem && entry.device !== device) continue
            const below = joinPath(path, entry.name)
            if (!isExcludedPath(excludes, below, root.length, true)) stack.push(below)
          }
        }
      }
    } finally {
      await source.close()
    }
  }

  /** What a directory was found to contain; told once. */
  take(path: Uint8Array): readonly Listed[] | undefined {
    const key = keyOf(path)
    const listing = this.#listings.get(key)
    this.#listings.delete(key)
    return listing
  }

  async #list(source: Source, path: Uint8Array): Promise<readonly Listed[]> {
    try {
      const directory = await source.openDirectory(path)
      try {
        const entries = [...(await directory.list())].sort((a, b) => compareBytes(a.name, b.name))
        this.#listings.set(keyOf(path), entries)
        this.#entries += entries.length
        return entries
      } finally {
        await directory.close()
      }
    } catch (error) {
      // The scan meets it again, and reports it.
      if (isPortError(error)) return []
      throw error
    }
  }
}

/** A source that opens a directory listed before only when one of its files is wanted. */
export function withListings(source: Source, ahead: ReadAhead): ScanSource {
  return {
    inspect: (path) => source.inspect(path),
    describe: (path, entry) => source.describe(path, entry),
    openFile: (path, entry, range) => source.openFile(path, entry, range),
    openDirectory: (path) => {
      const listing = ahead.take(path)
      return listing === undefined ? source.openDirectory(path) : new ListedDirectory(source, path, listing)
    },
    close: () => source.close(),
  }
}

class ListedDirectory implements ScanDirectory {
  readonly isSorted = true
  readonly #source: Source
  readonly #path: Uint8Array
  readonly #listing: readonly Listed[]
  #opened: ReturnType<Source['openDirectory']> | undefined

  constructor(source: Source, path: Uint8Array, listing: readonly Listed[]) {
    this.#source = source
    this.#path = path
    this.#listing = listing
  }

  list(): readonly Listed[] {
    return this.#listing
  }

  describe(entry: SourceEntry): ReturnType<ScanDirectory['describe']> {
    const directory = this.#open()
    return directory instanceof Promise ? directory.then((opened) => opened.describe(entry)) : directory.describe(entry)
  }

  openFile(...args: Parameters<ScanDirectory['openFile']>): ReturnType<ScanDirectory['openFile']> {
    const directory = this.#open()
    return directory instanceof Promise
      ? directory.then((opened) => opened.openFile(...args))
      : directory.openFile(...args)
  }

  async close(): Promise<void> {
    if (this.#opened !== undefined) await (await this.#opened).close()
  }

  #open(): ReturnType<Source['openDirectory']> {
    this.#opened ??= this.#source.openDirectory(this.#path)
    return this.#opened
  }
}

// Over the same memory: copies of so many short pieces would cost more than the text.
function keyOf({ buffer, byteOffset, length }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, length).toString('latin1')
}

import {
  isPortError,
  type PackedListing,
  type Source,
  type SourceEntry,
  type SourceErrorEntry,
  type SourceModule,
} from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import { cacheDirectoryTag, Excludes, isExcludedPath } from './excludes.js'
import { joinPath, latin1 } from './paths.js'
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

/** What a directory was found to contain; entries are in ascending order of names. */
type Listing = PackedListing | readonly Listed[]

// An entry takes some 300 bytes of memory, a packed one what its listing says.
const entryBytes = 300
const mostBytes = 24 * 1024 * 1024
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }

/** Directories that were listed before the scan began, in its order. */
export class ReadAhead {
  readonly #listings = new Map<string, Listing>()
  #bytes = 0

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
          if (isOver() || this.#bytes >= mostBytes) return
          const listing = await this.#list(source, path)
          if (
            order.excludeCaches &&
            entriesOf(listing).some(({ name }) => Buffer.from(name).toString() === cacheDirectoryTag)
          )
            continue
          for (const directory of directoriesOf(listing).toReversed()) {
            device ??= path === root ? directory.device : undefined
            if (order.oneFileSystem && directory.device !== device) continue
            const below = joinPath(path, directory.name)
            if (!isExcludedPath(excludes, below, root.length, true)) stack.push(below)
          }
        }
      }
    } finally {
      await source.close()
    }
  }

  /** What a directory was found to contain; told once. */
  take(path: Uint8Array): Listing | undefined {
    const key = latin1(path)
    const listing = this.#listings.get(key)
    this.#listings.delete(key)
    return listing
  }

  async #list(source: Source, path: Uint8Array): Promise<Listing> {
    try {
      const directory = await source.openDirectory(path)
      try {
        const listing = directory.listPacked?.() ?? sorted(await directory.list())
        this.#listings.set(latin1(path), listing)
        this.#bytes += 'bytes' in listing ? listing.bytes.length : listing.length * entryBytes
        return listing
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
  readonly #source: Source
  readonly #path: Uint8Array
  readonly #listing: Listing
  #opened: ReturnType<Source['openDirectory']> | undefined

  constructor(source: Source, path: Uint8Array, listing: Listing) {
    this.#source = source
    this.#path = path
    this.#listing = listing
  }

  get isSorted(): boolean {
    return !('bytes' in this.#listing)
  }

  list(): readonly Listed[] {
    return entriesOf(this.#listing)
  }

  listPacked(): PackedListing | undefined {
    return 'bytes' in this.#listing ? this.#listing : undefined
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

function entriesOf(listing: Listing): readonly Listed[] {
  return 'bytes' in listing ? listing.entries() : listing
}

function directoriesOf(listing: Listing): PackedListing['directories'] {
  if ('bytes' in listing) return listing.directories
  return listing.filter((entry): entry is SourceEntry => entry.kind === 'directory')
}

function sorted(entries: readonly Listed[]): readonly Listed[] {
  return [...entries].sort((a, b) => compareBytes(a.name, b.name))
}

import { isBkpError } from '../../errors/index.js'
import type { ChunkTable } from '../../repository/chunk-table.js'
import type { IssueKind } from '../api.js'
import { locateChunks } from '../browse/content.js'
import type { TreeWalker, WalkedEntry } from '../browse/tree-walker.js'
import { joinPaths } from './entries.js'
import { type FileBatch, referenceWords } from './protocol.js'

/** An issue with a path relative to the target. */
export interface PathIssue {
  readonly kind: IssueKind
  readonly path: readonly Uint8Array[]
  readonly message: string
}

/** The files of one thread. */
class ThreadFiles {
  readonly #numbers = new Map<string, number>()
  readonly directories: (readonly Uint8Array[])[] = []
  readonly entries: Uint8Array[] = []
  readonly names: Uint8Array[] = []
  readonly directoryOf: number[] = []
  readonly references: number[] = []
  bytes = 0

  add({ path, cursor }: WalkedEntry, references: number): number {
    const parent = path.slice(0, -1)
    const key = parent.map((name) => Buffer.from(name).toString('latin1')).join('/')
    let number = this.#numbers.get(key)
    if (number === undefined) {
      number = this.directories.push(parent) - 1
      this.#numbers.set(key, number)
    }
    this.entries.push(cursor.encoded.slice())
    this.names.push(path.at(-1) as Uint8Array)
    this.directoryOf.push(number)
    this.references.push(references)
    this.bytes += cursor.sizeBytes
    return this.directoryOf.length - 1
  }

  batch(): FileBatch {
    return {
      directories: joinPaths(this.directories),
      entries: Buffer.concat(this.entries),
      directoryOf: Uint32Array.from(this.directoryOf),
      references: Uint32Array.from(this.references),
    }
  }

  pathOf(file: number): readonly Uint8Array[] {
    return [
      ...(this.directories[this.directoryOf[file] as number] as readonly Uint8Array[]),
      this.names[file] as Uint8Array,
    ]
  }
}

/** What one pack has to deliver: per thread the references, in order of their place in the pack. */
export interface PackWork {
  readonly pack: number
  /** Rows of {@link referenceWords} words, by thread. */
  readonly references: readonly Uint32Array[]
  /** Byte ranges of the pack that are needed, ascending and joined where they are near. */
  readonly ranges: readonly { readonly offset: number; readonly length: number }[]
}

// Ranges nearer than this are fetched as one: a gap costs less than a request.
const joinedGapBytes = 256 * 1024

/** Files to be written and the blobs they need, ordered by pack so that each pack is fetched once. */
export class RestorePlan {
  readonly #walker: TreeWalker
  readonly #table: ChunkTable
  readonly #threads: number
  readonly #files: readonly ThreadFiles[]
  readonly #rows: number[][] = []
  readonly #byPack = new Map<number, number[]>()
  readonly #issues: PathIssue[] = []
  #lost = 0
  files = 0
  references = 0

  constructor(walker: TreeWalker, table: ChunkTable, threads: number) {
    this.#walker = walker
    this.#table = table
    this.#threads = threads
    this.#files = Array.from({ length: threads }, () => new ThreadFiles())
  }

  /** An empty one for what comes next. */
  next(): RestorePlan {
    return new RestorePlan(this.#walker, this.#table, this.#threads)
  }

  async add(walked: WalkedEntry): Promise<void> {
    this.files++
    let entries: number[]
    try {
      entries = locateChunks(walked.cursor, await this.#walker.contentIds(walked.cursor), this.#table)
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      this.#lose(walked, error.message)
      return
    }
    const thread = this.#threadFor(entries[0])
    const file = (this.#files[thread] as ThreadFiles).add(walked, entries.length)
    let position = 0
    for (const entry of entries) {
      const row = this.#rows.push([entry, file, position >>> 0, Math.floor(position / 2 ** 32), thread]) - 1
      const pack = this.#table.packOf(entry)
      const rows = this.#byPack.get(pack)
      if (rows === undefined) this.#byPack.set(pack, [row])
      else rows.push(row)
      position += this.#table.plainLengthOf(entry)
    }
    this.references += entries.length
  }

  batchOf(thread: number): FileBatch {
    return (this.#files[thread] as ThreadFiles).batch()
  }

  pathOf(thread: number, file: number): readonly Uint8Array[] {
    return (this.#files[thread] as ThreadFiles).pathOf(file)
  }

  /** Files that cannot be written at all because the index does not know their blobs. */
  get lost(): { readonly count: number; readonly issues: readonly PathIssue[] } {
    return { count: this.#lost, issues: this.#issues }
  }

  *packs(): Generator<PackWork> {
    for (const pack of [...this.#byPack.keys()].sort((a, b) => a - b)) {
      const rows = (this.#byPack.get(pack) as number[]).map((row) => this.#rows[row] as number[])
      rows.sort((a, b) => this.#table.offsetOf(a[0] as number) - this.#table.offsetOf(b[0] as number))
      const references = Array.from({ length: this.#threads }, (_, thread) =>
        Uint32Array.from(
          rows.filter((row) => row[referenceWords] === thread).flatMap((row) => row.slice(0, referenceWords)),
        ),
      )
      yield { pack, references, ranges: this.#ranges(rows.map((row) => row[0] as number)) }
    }
  }

  #lose({ path }: WalkedEntry, message: string): void {
    this.files--
    this.#lost++
    this.#issues.push({ kind: 'damaged', path: [...path], message })
  }

  /** Small files of one pack go to one thread, so that a pack is decoded where its files are. */
  #threadFor(entry: number | undefined): number {
    const least = this.#files.reduce(
      (best, files, thread) => (files.bytes < (this.#files[best] as ThreadFiles).bytes ? thread : best),
      0,
    )
    if (entry === undefined) return least
    const usual = this.#table.packOf(entry) % this.#threads
    const lead = (this.#files[usual] as ThreadFiles).bytes - (this.#files[least] as ThreadFiles).bytes
    return lead > maxLeadBytes ? least : usual
  }

  #ranges(entries: readonly number[]): { offset: number; length: number }[] {
    const ranges: { offset: number; length: number }[] = []
    for (const entry of entries) {
      const offset = this.#table.offsetOf(entry)
      const end = offset + this.#table.sealedLengthOf(entry)
      const last = ranges.at(-1)
      if (last !== undefined && offset <= last.offset + last.length + joinedGapBytes)
        last.length = Math.max(last.length, end - last.offset)
      else ranges.push({ offset, length: end - offset })
    }
    return ranges
  }
}

/** How far one thread may be ahead in bytes before another takes its files. */
const maxLeadBytes = 64 * 1024 * 1024

import { isBkpError } from '../../errors/index.js'
import type { ChunkTable } from '../../repository/chunk-table.js'
import type { IssueKind } from '../api.js'
import { locateChunks } from '../browse/content.js'
import type { TreeWalker, WalkedEntry } from '../browse/tree-walker.js'
import { type ByteSpan, spansOf } from '../pack-spans.js'
import { joinPaths } from './entries.js'
import { ByteList, RowList } from './growable.js'
import { type FileBatch, referenceWords } from './protocol.js'

/** An issue with a path relative to the target. */
export interface PathIssue {
  readonly kind: IssueKind
  readonly path: readonly Uint8Array[]
  readonly message: string
}

/** The files of one thread. */
class ThreadFiles {
  readonly directories: (readonly Uint8Array[])[] = []
  readonly #entries = new ByteList()
  readonly #names: Uint8Array[] = []
  /** Per file the number of its directory, and how many references it gets. */
  readonly #files = new RowList(2)
  /** What its files cost: their bytes, and something for each. */
  cost: number

  constructor(cost: number) {
    this.cost = cost
  }

  add({ path, cursor }: WalkedEntry, references: number): number {
    // Files of one directory come one after the other, with the same components.
    const last = this.directories.at(-1)
    const isSame = last?.length === path.length - 1 && last.every((name, at) => name === path[at])
    const directory = isSame ? this.directories.length - 1 : this.directories.push(path.slice(0, -1)) - 1
    this.#entries.append(cursor.encoded)
    this.#names.push(path.at(-1) as Uint8Array)
    this.#files.append([directory, references])
    this.cost += cursor.sizeBytes + costOfFile
    return this.#names.length - 1
  }

  batch(): FileBatch {
    return {
      directories: joinPaths(this.directories),
      entries: this.#entries.view().slice(),
      files: this.#files.words(),
    }
  }

  pathOf(file: number): readonly Uint8Array[] {
    return [...(this.directories[this.#files.at(file, 0)] as readonly Uint8Array[]), this.#names[file] as Uint8Array]
  }
}

/** What one pack has to deliver: per thread the references, in order of their place in the pack. */
export interface PackWork {
  readonly pack: number
  /** Rows of {@link referenceWords} words, by thread. */
  readonly references: readonly Uint32Array[]
  /** Bytes of the pack that are needed, ascending. */
  readonly spans: readonly ByteSpan[]
}

// Columns of the rows; the first are those that a thread is sent.
const entryColumn = 0
const threadColumn = referenceWords
const packColumn = referenceWords + 1

/** Files to be written and the blobs they need, ordered by pack so that each pack is fetched once. */
export class RestorePlan {
  readonly #walker: TreeWalker
  readonly #table: ChunkTable
  readonly #threads: number
  readonly #files: readonly ThreadFiles[]
  readonly #rows = new RowList(referenceWords + 2)
  readonly #issues: PathIssue[] = []
  #lost = 0
  files = 0

  /** @param costs what the threads have got before */
  constructor(walker: TreeWalker, table: ChunkTable, threads: number, costs: readonly number[] = []) {
    this.#walker = walker
    this.#table = table
    this.#threads = threads
    this.#files = Array.from({ length: threads }, (_, thread) => new ThreadFiles(costs[thread] ?? 0))
  }

  /** An empty one for what comes next. */
  next(): RestorePlan {
    const costs = this.#files.map(({ cost }) => cost)
    return new RestorePlan(this.#walker, this.#table, this.#threads, costs)
  }

  get references(): number {
    return this.#rows.count
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
      this.#rows.append([
        entry,
        file,
        position >>> 0,
        Math.floor(position / 2 ** 32),
        thread,
        this.#table.packOf(entry),
      ])
      position += this.#table.plainLengthOf(entry)
    }
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
    const rows = this.#rows
    const offsetOf = (row: number) => this.#table.offsetOf(rows.at(row, entryColumn))
    const order = Uint32Array.from({ length: rows.count }, (_, row) => row).sort(
      (a, b) => rows.at(a, packColumn) - rows.at(b, packColumn) || offsetOf(a) - offsetOf(b),
    )
    for (let start = 0; start < order.length; ) {
      const pack = rows.at(order[start] as number, packColumn)
      let end = start + 1
      while (end < order.length && rows.at(order[end] as number, packColumn) === pack) end++
      yield this.#workOf(pack, order.subarray(start, end))
      start = end
    }
  }

  /** @param order rows of one pack by their offset */
  #workOf(pack: number, order: Uint32Array): PackWork {
    const counts = new Uint32Array(this.#threads)
    for (const row of order) {
      const thread = this.#rows.at(row, threadColumn)
      counts[thread] = (counts[thread] as number) + 1
    }
    const references = Array.from(counts, (count) => new Uint32Array(count * referenceWords))
    counts.fill(0)
    for (const row of order) {
      const thread = this.#rows.at(row, threadColumn)
      const at = counts[thread] as number
      this.#rows.copy(row, referenceWords, references[thread] as Uint32Array, at)
      counts[thread] = at + referenceWords
    }
    const entries = order.map((row) => this.#rows.at(row, entryColumn))
    return { pack, references, spans: spansOf(entries, this.#table) }
  }

  #lose({ path }: WalkedEntry, message: string): void {
    this.files--
    this.#lost++
    this.#issues.push({ kind: 'damaged', path: [...path], message })
  }

  /** Small files of one pack go to one thread, so that a pack is decoded where its files are. */
  #threadFor(entry: number | undefined): number {
    const least = this.#files.reduce(
      (best, files, thread) => (files.cost < (this.#files[best] as ThreadFiles).cost ? thread : best),
      0,
    )
    if (entry === undefined) return least
    const usual = this.#table.packOf(entry) % this.#threads
    const lead = (this.#files[usual] as ThreadFiles).cost - (this.#files[least] as ThreadFiles).cost
    return lead > maxLead ? least : usual
  }
}

/** What a file costs beside its bytes: to make one takes as long as to write so many. */
const costOfFile = 32 * 1024
/** How far one thread may be ahead in cost before another takes its files. */
const maxLead = 64 * 1024 * 1024

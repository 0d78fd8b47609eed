import type { PackedListing } from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import type { KeyedHasher } from '../../hash/keyed-hasher.js'
import { describeEntries } from './described-entries.js'
import { latin1 } from './paths.js'
import { type ChildTrees, KnownScans, NewScans, type ScanRecord } from './scan-records.js'

/** Some 200,000 directories. */
const mostRecordBytes = 32 * 1024 * 1024

/** What of a run decides which directories may be remembered, and which may be taken for what they were. */
export interface ScanMemorySetup {
  /** Key of the hashes by which listings are found. */
  readonly key: Uint8Array
  /** Records of the run that made the parent snapshot, from a multiple of 4 on; they may lie in shared memory. */
  readonly known: Uint8Array | undefined
  /** As for single files: a directory in which something may have changed unseen is not remembered. Seconds since 1970. */
  readonly rememberBefore: number
}

/** A directory that holds what it held, as far as its own listing tells. */
export interface RememberedScan extends ScanRecord {
  readonly encoded: Uint8Array
}

/**
 * Remembers which listing of a directory gave which trees, so that the next run need not look at its entries. Only
 * directories are remembered of which everything was read and nothing was left out.
 */
export class ScanMemory {
  readonly #hasher: KeyedHasher
  readonly #known: KnownScans | undefined
  readonly #new = new NewScans(mostRecordBytes)
  readonly #rememberBefore: number
  readonly #keyWords = new Uint32Array(8)
  readonly #key = new Uint8Array(this.#keyWords.buffer)
  #scratch = new Uint8Array(64 * 1024)

  constructor(setup: ScanMemorySetup, hasher: KeyedHasher) {
    this.#hasher = hasher
    this.#known = setup.known === undefined ? undefined : new KnownScans(setup.known)
    this.#rememberBefore = setup.rememberBefore
  }

  /**
   * @param parentTree what the directory had in the parent snapshot: anything else that is remembered does not count
   * @param changedSince files that changed later are read again, whatever is remembered: seconds since 1970
   */
  find(
    path: Uint8Array,
    listing: PackedListing,
    parentTree: Uint8Array,
    changedSince: number,
  ): RememberedScan | undefined {
    if (this.#known === undefined || parentTree.length === 0 || listing.newestCtimeSeconds >= changedSince)
      return undefined
    this.#hash(path, listing)
    const start = this.#known.find(this.#keyWords)
    if (start === undefined) return undefined
    const record = this.#known.record(start)
    if (compareBytes(record.tree, parentTree) !== 0) return undefined
    return { ...record, encoded: this.#known.encoded(start) }
  }

  /** Remembers a directory that is as it was. */
  keep({ encoded }: RememberedScan): void {
    this.#new.copy(encoded)
  }

  /**
   * Remembers a directory that was scanned.
   * @param count how many of its entries were to be saved
   * @param pieces its encoded entries
   */
  add(path: Uint8Array, listing: PackedListing, count: number, pieces: Iterable<Uint8Array>, tree: Uint8Array): void {
    if (listing.newestCtimeSeconds >= this.#rememberBefore) return
    const entries = describeEntries(pieces)
    // What is missing vanished, or is told of in every run.
    if (entries === undefined || entries.count !== count) return
    const children: ChildTrees[] = []
    if (entries.trees.size > 0) {
      for (const [index, { name }] of listing.directories.entries()) {
        const tree = entries.trees.get(latin1(name))
        if (tree !== undefined) children.push({ index, tree })
      }
    }
    this.#hash(path, listing)
    this.#new.add(this.#key, { ...entries, tree, children })
  }

  /** All that was remembered in this run, in memory of its own. */
  take(): Uint8Array {
    return this.#new.view().slice()
  }

  /** A path has no NUL, so it ends where the first one is. */
  #hash(path: Uint8Array, { bytes }: PackedListing): void {
    const length = path.length + 1 + bytes.length
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(length * 2)
    this.#scratch.set(path)
    this.#scratch[path.length] = 0
    this.#scratch.set(bytes, path.length + 1)
    this.#hasher.digest(1, this.#scratch.subarray(0, length), this.#key, 0)
  }
}

import {
  type EntryDetails,
  isPortError,
  type PackedListing,
  type SourceEntry,
  type SourceErrorEntry,
} from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import type { TreeCursor } from '../../format/tree-cursor.js'
import { EntryEncoder } from '../../format/tree-writer.js'
import type { IssueKind } from '../api.js'
import { FileBatch, isWorthGiving } from './file-batch.js'
import { reasonOf } from './file-saver.js'
import { isUnchanged, KnownEntries } from './known-entries.js'
import { rangedFileBytes, saveInRanges } from './large-file.js'
import { listEntries } from './list-entries.js'
import { OrderedEntries } from './ordered-entries.js'
import { joinPath, latin1 } from './paths.js'
import type { BackupTaskResult, DirectoryPlace } from './protocol.js'
import type { Listed } from './read-ahead.js'
import { type Below, recall } from './recall.js'
import { describeEntry, detailsOf, saveFile } from './save-entry.js'
import type { Scan, ScanContext, ScanDirectory, SharedDirectory } from './scan-context.js'
import { emptyTree, writeTree } from './write-tree.js'

const noTree = new Uint8Array(0)

/** Scans one directory with all below it. */
export async function scanDirectory(
  context: ScanContext,
  place: DirectoryPlace,
  parentTree: Uint8Array,
): Promise<Scan> {
  context.takeMessages()
  let directory: ScanDirectory
  try {
    directory = await context.source.openDirectory(place.path)
  } catch (error) {
    if (!isPortError(error)) throw error
    return { now: { kind: 'unreadable', message: reasonOf(error), vanished: error.code === 'not-found' } }
  }
  try {
    // Every level begins on a fresh stack: paths may be thousands of levels deep.
    const packed = await directory.listPacked?.()
    const below: Below = new Map()
    const tree =
      packed === undefined
        ? undefined
        : await recall(context, { place, packed, parentTree, below, scan: scanDirectory })
    if (tree !== undefined) return { now: { kind: 'tree', ids: tree } }
    const known = await KnownEntries.load(context.reader, parentTree)
    const scan = new DirectoryScan(context, place, directory, { known, packed, below })
    context.open.push(scan)
    try {
      return await scan.run()
    } finally {
      context.open.pop()
    }
  } finally {
    await directory.close()
  }
}

/** What is known of a directory before its entries are looked at. */
interface Prepared {
  readonly known: KnownEntries
  readonly packed: PackedListing | undefined
  readonly below: ReadonlyMap<string, Scan>
}

/**
 * Gives work to threads that wait for some: always what lies farthest up, since most lies below it. To give away what is
 * deep down costs more than to do it.
 */
function share({ shared, open, isWarm }: ScanContext): void {
  while (shared.isWanted && isWarm()) if (!open.some((directory) => directory.give())) return
}

class DirectoryScan implements SharedDirectory {
  readonly #context: ScanContext
  readonly #place: DirectoryPlace
  readonly #directory: ScanDirectory
  readonly #known: KnownEntries
  readonly #packed: PackedListing | undefined
  readonly #below: ReadonlyMap<string, Scan>
  readonly #entries: OrderedEntries
  #batch: FileBatch | undefined
  #listed: readonly Listed[] = []
  /** Where the scan is in the list. */
  #at = 0
  /** What lies from here on in the list has been given away, or cannot be. */
  #givenFrom = 0
  readonly #given = new Map<SourceEntry, Promise<BackupTaskResult>>()

  constructor(
    context: ScanContext,
    place: DirectoryPlace,
    directory: ScanDirectory,
    { known, packed, below }: Prepared,
  ) {
    this.#context = context
    this.#place = place
    this.#directory = directory
    this.#known = known
    this.#packed = packed
    this.#below = below
    this.#entries = new OrderedEntries(known)
  }

  /** Where the next entry is encoded. A batch of files ends here: entries keep their order. */
  get #encoder(): EntryEncoder {
    this.#closeBatch()
    return this.#entries.encoder
  }

  #addAsBefore(known: TreeCursor): void {
    if (!this.#entries.accept()) this.#encoder.copy(known.encoded)
  }

  give(): boolean {
    const { shared, offload, options } = this.#context
    while (this.#givenFrom > this.#at) {
      const entry = this.#listed[--this.#givenFrom] as Listed
      if (entry.kind !== 'directory' || this.#below.has(latin1(entry.name))) continue
      if (options.oneFileSystem && entry.device !== this.#place.rootDevice) continue
      if (!shared.takeWanted()) {
        this.#givenFrom++
        return false
      }
      const place = { ...this.#place, path: this.#pathOf(entry.name) }
      this.#given.set(entry, offload({ kind: 'directory', place, parentTree: this.#known.treeOf(entry.name) }))
      return true
    }
    return false
  }

  async run(): Promise<Scan> {
    const entries = await listEntries(this.#context, this.#place, this.#directory, this.#packed)
    this.#listed = entries
    this.#givenFrom = entries.length
    for (const entry of entries) {
      const unread = entries.length - ++this.#at
      const known = this.#known.find(entry.name)
      if (entry.kind === 'error') this.#addUnknown(entry)
      else if (entry.kind === 'directory') await this.#addDirectory(entry, known)
      else if (entry.kind === 'file') {
        if (!this.#addKnownFile(entry, known)) await this.#addFile(entry, known, unread)
      } else await this.#addOther(entry, known)
    }
    const tree = this.#entries.treeAsBefore
    if (tree !== undefined) {
      this.#remember(this.#known.accepted(), tree)
      return { now: { kind: 'tree', ids: tree } }
    }
    this.#closeBatch()
    const pieces = this.#entries.whole()
    if (!(pieces instanceof Promise)) return { now: this.#write(pieces) }
    return { later: pieces.then((all) => this.#write(all)) }
  }

  #addUnknown(entry: SourceErrorEntry): void {
    this.#issue(entry.vanished ? 'vanished' : 'unreadable', entry.name, entry.message)
    if (!entry.vanished) this.#encoder.addError(entry.name, entry.message)
  }

  async #addDirectory(entry: SourceEntry, known: TreeCursor | undefined): Promise<void> {
    const context = this.#context
    const parentTree = (known?.kind === 'directory' ? known.tree?.slice() : undefined) ?? noTree
    context.counters.add('directories')
    const place = { ...this.#place, path: this.#pathOf(entry.name) }
    if (context.options.oneFileSystem && entry.device !== this.#place.rootDevice) {
      this.#encoder.add(entry, await this.#describe(entry, known), { tree: emptyTree(context) })
      return
    }
    share(context)
    const given = this.#given.get(entry)
    const scan: Scan =
      this.#below.get(latin1(entry.name)) ??
      (given === undefined ? await scanDirectory(context, place, parentTree) : { later: given })
    if ('now' in scan) {
      if (known !== undefined && this.#isTreeAsBefore(entry, known, scan.now)) this.#addAsBefore(known)
      else {
        // The details first: what is encoded goes behind all that comes before.
        const details = await this.#describe(entry, known)
        this.#addScanned(this.#encoder, entry, details, scan.now)
      }
    } else {
      const details = await this.#describe(entry, known)
      this.#keepPlace(
        scan.later.then((result) => {
          const encoder = new EntryEncoder()
          this.#addScanned(encoder, entry, details, result)
          return encoder.view().slice()
        }),
      )
    }
  }

  #isTreeAsBefore(entry: SourceEntry, known: TreeCursor, result: BackupTaskResult): boolean {
    if (result.kind !== 'tree' || this.#context.options.force || !isUnchanged(known, entry)) return false
    return compareBytes(result.ids, known.tree ?? new Uint8Array(0)) === 0
  }

  #addScanned(encoder: EntryEncoder, entry: SourceEntry, details: EntryDetails, result: BackupTaskResult): void {
    if (result.kind === 'tree') encoder.add(entry, details, { tree: result.ids })
    else if (result.kind === 'unreadable') {
      this.#issue(result.vanished ? 'vanished' : 'unreadable', entry.name, result.message)
      if (!result.vanished) encoder.add(entry, details, { error: result.message })
    }
  }

  // Apart from the files that are read, because nearly always it is all there is to do, and a promise costs as much.
  #addKnownFile(entry: SourceEntry, known: TreeCursor | undefined): boolean {
    if (known === undefined || !this.#isKnown(known, entry)) return false
    const { counters } = this.#context
    counters.add('files')
    counters.add('filesUnchanged')
    counters.add('bytes', entry.sizeBytes)
    this.#addAsBefore(known)
    return true
  }

  async #addFile(entry: SourceEntry, known: TreeCursor | undefined, unread: number): Promise<void> {
    const context = this.#context
    context.counters.add('files')
    context.counters.add(known === undefined ? 'filesNew' : 'filesChanged')
    if (entry.sizeBytes > rangedFileBytes) {
      const ranges = await saveInRanges(context, this.#place, this.#directory, entry)
      if (ranges !== undefined) return this.#keepPlace(ranges.encoded)
    } else if (this.#giveAway(entry, unread)) return
    await saveFile(context, this.#place, this.#directory, entry, this.#encoder)
  }

  #isKnown(known: TreeCursor, entry: SourceEntry): boolean {
    const { options, writer } = this.#context
    if (options.force || !isUnchanged(known, entry)) return false
    // A file that changed in the very moment of the last run may look the same and differ.
    if (entry.ctimeSeconds + entry.ctimeNanoseconds / 1e9 >= options.parentTimeSeconds) return false
    const content = known.content
    return content === undefined ? entry.sizeBytes === 0 || known.extents !== undefined : writer.knows(content.ids)
  }

  /** Collects files for another thread. What joins a batch keeps its place among the entries. */
  #giveAway(entry: SourceEntry, unread: number): boolean {
    if (this.#batch === undefined && !(isWorthGiving(entry, unread) && this.#context.shared.takeWanted())) return false
    this.#batch ??= this.#openBatch()
    const isFull = this.#batch.add(entry)
    if (isFull || unread === 0) this.#closeBatch()
    return true
  }

  #openBatch(): FileBatch {
    const batch = new FileBatch()
    this.#keepPlace(batch.encoded)
    return batch
  }

  #closeBatch(): void {
    const batch = this.#batch
    if (batch === undefined) return
    this.#batch = undefined
    batch.become(this.#context.offload({ kind: 'files', place: this.#place, entries: batch.entries }))
  }

  async #addOther(entry: SourceEntry, known: TreeCursor | undefined): Promise<void> {
    const context = this.#context
    if (entry.kind === 'socket') {
      context.note('unsupported', this.#pathOf(entry.name), 'a socket has no content; it is left out')
      return
    }
    context.counters.add('others')
    if (known !== undefined && !context.options.force && isUnchanged(known, entry)) this.#addAsBefore(known)
    else this.#encoder.add(entry, await this.#describe(entry, undefined), {})
  }

  async #describe(entry: SourceEntry, known: TreeCursor | undefined): Promise<EntryDetails> {
    if (known !== undefined && !this.#context.options.force && isUnchanged(known, entry)) return detailsOf(known)
    return describeEntry(this.#context, this.#place, this.#directory, entry)
  }

  #keepPlace(entries: Promise<Uint8Array>): void {
    this.#closeBatch()
    this.#entries.keepPlace(entries)
  }

  #write(pieces: readonly Uint8Array[]): BackupTaskResult {
    const ids = writeTree(this.#context, pieces)
    this.#remember(pieces, ids)
    return { kind: 'tree', ids }
  }

  #remember(pieces: Iterable<Uint8Array>, tree: Uint8Array): void {
    if (this.#packed === undefined) return
    this.#context.memory.add(this.#place.path, this.#packed, this.#listed.length, pieces, tree)
  }

  #pathOf(name: Uint8Array): Uint8Array {
    return joinPath(this.#place.path, name)
  }

  #issue(kind: IssueKind, name: Uint8Array, message: string): void {
    this.#context.issue(kind, this.#pathOf(name), message)
  }
}

import { damaged, isBkpError } from '../../errors/index.js'
import { packKey, toHex } from '../../format/ids.js'
import { maxDirectoryDepth } from '../../format/limits.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { notFound } from '../../repository/chunk-table.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { throwIfAborted } from '../abort.js'
import type { CopyFault } from '../api.js'
import { type BlobType, blobType } from '../backup/blob-writer.js'
import { lengthFault } from '../browse/content.js'
import type { TreeWalker } from '../browse/tree-walker.js'
import { EntryList } from './entry-list.js'
import type { IdMap } from './id-map.js'

/** What is damaged of one snapshot is told up to this many. */
const mostFaults = 100

/** What of a snapshot has not been copied yet. */
export interface CopyPlan {
  /** Data blobs, by their entry in the source's table. */
  readonly data: Uint32Array
  /** Trees and lists as pairs of entry and type; what one names comes before it. */
  readonly structure: Uint32Array
  /** Uncompressed. */
  readonly bytes: number
  /** Why the snapshot cannot be copied whole; at most 100. */
  readonly faults: readonly CopyFault[]
}

interface Frame {
  /** The tree's entry; `notFound` for the root directory. */
  readonly entry: number
  /** Trees of the directories in it. */
  readonly below: readonly TreePlace[]
  at: number
}

interface TreePlace {
  readonly id: Uint8Array
  readonly directory: Directory
}

/** A path by its last name, as deep paths take memory of their own at every level otherwise. */
interface Directory {
  readonly name: Uint8Array
  readonly above: Directory | undefined
}

const rootDirectory: Directory = { name: new Uint8Array(0), above: undefined }

/** Finds what a snapshot needs beyond what is copied, and what of it is damaged as far as that shows without its data. */
export class CopyPlanner {
  readonly #walker: TreeWalker
  readonly #index: RepositoryIndex
  readonly #map: IdMap
  /** Per entry the number of the plan that has it. */
  readonly #seen: Uint32Array
  /** Per entry its type + 1: no blob is of two. */
  readonly #types: Uint8Array
  /** What is wrong with blobs that were marked as damaged, as far as it is worth keeping. */
  readonly #reasons = new Map<number, string>()
  readonly #words = new Uint32Array(8)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  #round = 0
  #data = new EntryList()
  #structure = new EntryList()
  #plannedBytes = 0
  #faults: CopyFault[] = []

  constructor(walker: TreeWalker, index: RepositoryIndex, map: IdMap) {
    this.#walker = walker
    this.#index = index
    this.#map = map
    this.#seen = new Uint32Array(index.table.count)
    this.#types = new Uint8Array(index.table.count)
  }

  /** Notes why a blob cannot be copied; plans say so from then on. */
  noteDamage(entry: number, message: string): void {
    this.#map.markDamaged(entry)
    if (this.#reasons.size < mostFaults) this.#reasons.set(entry, message)
  }

  /** @param root ids of the root's trees */
  async plan(root: Uint8Array, signal: AbortSignal): Promise<CopyPlan> {
    this.#round++
    this.#data = new EntryList()
    this.#structure = new EntryList()
    this.#plannedBytes = 0
    this.#faults = []
    // A stack of our own instead of recursion: paths may be thousands of levels deep.
    const stack: Frame[] = [{ entry: notFound, below: placesOf(root, rootDirectory), at: 0 }]
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      throwIfAborted(signal)
      const place = frame.below[frame.at++]
      if (place === undefined) {
        stack.pop()
        if (frame.entry !== notFound) this.#add(frame.entry, blobType.tree)
      } else if (stack.length > maxDirectoryDepth) {
        this.#fault(place.directory, `directories are nested more than ${maxDirectoryDepth} deep`)
      } else {
        const found = await this.#tree(place)
        if (found !== undefined) stack.push(found)
      }
    }
    return {
      data: this.#data.view(),
      structure: this.#structure.view(),
      bytes: this.#plannedBytes,
      faults: this.#faults,
    }
  }

  /** @returns undefined for a tree that is copied, planned or damaged */
  async #tree({ id, directory }: TreePlace): Promise<Frame | undefined> {
    try {
      const entry = this.#visit(id, blobType.tree)
      if (entry === notFound) return undefined
      const below: TreePlace[] = []
      const cursor = new TreeCursor(await this.#walker.readBlob(id, blobType.tree))
      while (cursor.next()) {
        const { tree } = cursor
        if (tree !== undefined) {
          const inner = { name: cursor.name.slice(), above: directory }
          for (const place of placesOf(tree.slice(), inner)) below.push(place)
        }
        if (cursor.content !== undefined || cursor.kind === 'file') await this.#file(cursor, directory)
      }
      return { entry, below, at: 0 }
    } catch (error) {
      this.#fault(directory, damageOf(error))
      return undefined
    }
  }

  async #file(cursor: TreeCursor, directory: Directory): Promise<void> {
    const { content } = cursor
    if (content === undefined && cursor.error !== undefined) return
    try {
      const ids = await this.#walker.contentIds(cursor)
      let length = 0
      for (let at = 0; at < ids.length; at += 32) length += this.#chunk(ids.subarray(at, at + 32))
      const fault = cursor.kind === 'file' ? lengthFault(cursor, length) : undefined
      if (fault !== undefined) throw damaged(fault)
      if (content !== undefined && content.depth > 0) await this.#lists(content.depth, content.ids)
    } catch (error) {
      this.#fault({ name: cursor.name, above: directory }, damageOf(error))
    }
  }

  /** @returns its length in bytes */
  #chunk(id: Uint8Array): number {
    const entry = this.#visit(id, blobType.data)
    if (entry !== notFound) {
      this.#data.append(entry)
      this.#plannedBytes += this.#index.table.plainLengthOf(entry)
    }
    return this.#index.table.plainLengthOf(this.#index.table.find(this.#words))
  }

  /** Nested at most three deep. */
  async #lists(depth: number, ids: Uint8Array): Promise<void> {
    for (let at = 0; at < ids.length; at += 32) {
      const id = ids.subarray(at, at + 32)
      const entry = this.#visit(id, blobType.list)
      if (entry === notFound) continue
      if (depth > 1) await this.#lists(depth - 1, await this.#walker.readBlob(id, blobType.list))
      this.#add(entry, blobType.list)
    }
  }

  #add(entry: number, type: BlobType): void {
    this.#structure.append(entry)
    this.#structure.append(type)
    this.#plannedBytes += this.#index.table.plainLengthOf(entry)
  }

  /**
   * @returns the entry; `notFound` when there is nothing to do for it any more
   * @throws BkpError `damaged` when the blob cannot be had
   */
  #visit(id: Uint8Array, type: BlobType): number {
    const { table, packs } = this.#index
    this.#bytes.set(id)
    const entry = table.find(this.#words)
    if (entry === notFound) throw damaged(`the index does not have its blob ${toHex(id).slice(0, 16)}…`)
    const pack = table.packOf(entry)
    const key = packKey(packs.nameOf(pack))
    if (this.#map.isDamaged(entry)) throw damaged(`${key}: ${this.#reasons.get(entry) ?? 'a blob in it is damaged'}`)
    const isMisplaced = (packs.kindOf(pack) === 'data') !== (type === blobType.data)
    const usedAs = this.#types[entry] as number
    if (isMisplaced || (usedAs !== 0 && usedAs !== type + 1))
      throw damaged(`${key}: a blob in it is used as what it is not`)
    this.#types[entry] = type + 1
    if (this.#map.targetOf(entry) !== notFound || this.#seen[entry] === this.#round) return notFound
    this.#seen[entry] = this.#round
    return entry
  }

  #fault(place: Directory, message: string): void {
    if (this.#faults.length >= mostFaults) return
    const path = pathOf(place)
    this.#faults.push({ path: { text: Buffer.from(path).toString(), bytes: path }, message })
  }
}

function pathOf(place: Directory): Uint8Array {
  const names: Uint8Array[] = []
  for (let at: Directory | undefined = place; at?.above !== undefined; at = at.above)
    names.unshift(Buffer.from('/'), at.name)
  return names.length === 0 ? Buffer.from('/') : Buffer.concat(names)
}

function placesOf(ids: Uint8Array, directory: Directory): TreePlace[] {
  return Array.from({ length: ids.length / 32 }, (_, n) => ({ id: ids.subarray(n * 32, n * 32 + 32), directory }))
}

function damageOf(error: unknown): string {
  if (!isBkpError(error, 'damaged')) throw error
  return error.message
}

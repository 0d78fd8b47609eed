import { isBkpError } from '../../errors/index.js'
import { maxDirectoryDepth } from '../../format/limits.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { type ChunkTable, notFound } from '../../repository/chunk-table.js'
import { throwIfAborted } from '../abort.js'
import { blobType } from '../backup/blob-writer.js'
import type { TreeWalker } from '../browse/tree-walker.js'
import type { IdMap } from './id-map.js'
import { areTwins } from './named-ids.js'

/** One of the two repositories of a copy. */
export interface WalkedSide {
  readonly walker: TreeWalker
  readonly table: ChunkTable
}

/** Ids at the same places of two blobs that are the same but for their keys. */
interface Pair {
  readonly source: Uint8Array
  readonly target: Uint8Array
}

interface Frame {
  /** Entries of the two trees; `notFound` for the root directory. */
  readonly source: number
  readonly target: number
  readonly below: readonly Pair[]
  at: number
  isWhole: boolean
}

/**
 * Learns from a snapshot and its copy which blob of the target each blob of the source is, without reading data: both have
 * the same trees but for the ids in them. What is not in the target any more is not learned, nor any tree above it.
 */
export class TwinWalk {
  readonly #source: WalkedSide
  readonly #target: WalkedSide
  readonly #map: IdMap
  readonly #words = new Uint32Array(8)
  readonly #bytes = new Uint8Array(this.#words.buffer)

  constructor(source: WalkedSide, target: WalkedSide, map: IdMap) {
    this.#source = source
    this.#target = target
    this.#map = map
  }

  /** @param roots ids of the two root directories' trees */
  async learn(roots: Pair, signal: AbortSignal): Promise<void> {
    const stack: Frame[] = [{ source: notFound, target: notFound, below: pairsOf(roots), at: 0, isWhole: true }]
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      throwIfAborted(signal)
      const pair = frame.below[frame.at++]
      if (pair === undefined) {
        stack.pop()
        const above = stack.at(-1)
        if (above === undefined) return
        if (frame.isWhole) this.#map.set(frame.source, frame.target)
        else above.isWhole = false
        continue
      }
      const found = stack.length > maxDirectoryDepth ? undefined : await this.#unlessDamaged(() => this.#tree(pair))
      if (found === undefined) frame.isWhole = false
      else if (found !== 'known') stack.push(found)
    }
  }

  /** @returns undefined where the two are no twins */
  async #tree(pair: Pair): Promise<Frame | 'known' | undefined> {
    const entries = this.#find(pair)
    if (entries === undefined) return undefined
    if (this.#map.targetOf(entries.source) !== notFound) return 'known'
    const source = await this.#source.walker.readBlob(pair.source, blobType.tree)
    const target = await this.#target.walker.readBlob(pair.target, blobType.tree)
    if (!areTwins(blobType.tree, source, target)) return undefined
    const frame: Frame = { ...entries, below: [], at: 0, isWhole: true }
    const below: Pair[] = []
    const [one, other] = [new TreeCursor(source), new TreeCursor(target)]
    while (one.next() && other.next()) {
      const { tree, content } = one
      if (tree !== undefined && other.tree !== undefined)
        for (const inner of pairsOf({ source: tree.slice(), target: other.tree.slice() })) below.push(inner)
      if (content === undefined || other.content === undefined) continue
      const isWhole = await this.#contents(content.depth, { source: content.ids, target: other.content.ids })
      if (!isWhole) frame.isWhole = false
    }
    return { ...frame, below }
  }

  /** @returns whether all of it is known now */
  async #contents(depth: number, ids: Pair): Promise<boolean> {
    let isWhole = true
    for (const pair of pairsOf(ids)) {
      const entries = this.#find(pair)
      if (entries === undefined) isWhole = false
      else if (this.#map.targetOf(entries.source) === notFound) {
        if (depth === 0 || (await this.#list(depth, pair))) this.#map.set(entries.source, entries.target)
        else isWhole = false
      }
    }
    return isWhole
  }

  async #list(depth: number, pair: Pair): Promise<boolean> {
    const found = await this.#unlessDamaged(async () => {
      const source = await this.#source.walker.readBlob(pair.source, blobType.list)
      const target = await this.#target.walker.readBlob(pair.target, blobType.list)
      return areTwins(blobType.list, source, target) && (await this.#contents(depth - 1, { source, target }))
    })
    return found === true
  }

  /** Their entries, where both are there and have one length. */
  #find({ source, target }: Pair): { readonly source: number; readonly target: number } | undefined {
    const one = this.#entryOf(this.#source.table, source)
    const other = this.#entryOf(this.#target.table, target)
    if (one === notFound || other === notFound) return undefined
    if (this.#source.table.plainLengthOf(one) !== this.#target.table.plainLengthOf(other)) return undefined
    return { source: one, target: other }
  }

  #entryOf(table: ChunkTable, id: Uint8Array): number {
    this.#bytes.set(id)
    return table.find(this.#words)
  }

  // What cannot be read here is only not learned: the copy itself says what is damaged.
  async #unlessDamaged<T>(action: () => Promise<T>): Promise<T | undefined> {
    try {
      return await action()
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      return undefined
    }
  }
}

function pairsOf({ source, target }: Pair): readonly Pair[] {
  if (source.length !== target.length) return []
  return Array.from({ length: source.length / 32 }, (_, n) => ({
    source: source.subarray(n * 32, n * 32 + 32),
    target: target.subarray(n * 32, n * 32 + 32),
  }))
}

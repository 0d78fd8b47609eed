import { damaged } from '../../errors/index.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { type ChunkTable, notFound } from '../../repository/chunk-table.js'
import { type BlobType, blobType } from '../backup/blob-writer.js'
import type { IdMap } from './id-map.js'

/**
 * Where a blob names others: calls `visit` with views on the ids in a tree, or with a whole list.
 * @param visit told what they are ids of; of a list that depends on where it is named, so it says nothing
 * @throws BkpError `damaged`
 */
export function visitIds(type: BlobType, blob: Uint8Array, visit: (ids: Uint8Array) => void): void {
  if (type === blobType.list) {
    if (blob.length % 32 !== 0) throw damaged('A list of blobs has an impossible length')
    visit(blob)
    return
  }
  const cursor = new TreeCursor(blob)
  while (cursor.next()) {
    const { content, tree } = cursor
    if (content !== undefined) visit(content.ids)
    if (tree !== undefined) visit(tree)
  }
}

/**
 * Rewrites trees and lists of the source as those of the target, in place: ids have one length everywhere, so that all else
 * stays as it is, byte by byte.
 */
export class Translator {
  readonly #map: IdMap
  readonly #source: ChunkTable
  readonly #target: ChunkTable
  readonly #words = new Uint32Array(8)
  readonly #bytes = new Uint8Array(this.#words.buffer)

  constructor(map: IdMap, source: ChunkTable, target: ChunkTable) {
    this.#map = map
    this.#source = source
    this.#target = target
  }

  /** @throws BkpError `damaged` when it names what was not copied; it may have been changed in part then */
  translate(type: BlobType, blob: Uint8Array): void {
    visitIds(type, blob, (ids) => this.translateIds(ids))
  }

  /** @throws BkpError `damaged` */
  translateIds(ids: Uint8Array): void {
    for (let at = 0; at < ids.length; at += 32) {
      for (let i = 0; i < 32; i++) this.#bytes[i] = ids[at + i] as number
      const entry = this.#source.find(this.#words)
      const target = entry === notFound ? notFound : this.#map.targetOf(entry)
      if (target === notFound) throw damaged('A blob that is named was not copied')
      this.#target.idOf(target, this.#words)
      ids.set(this.#bytes, at)
    }
  }
}

/** Whether two blobs say the same but for the ids in them, which have other keys. Neither is changed. */
export function areTwins(type: BlobType, one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  if (type === blobType.list) return one.length % 32 === 0
  const blank = (blob: Uint8Array) => {
    const copy = blob.slice()
    visitIds(type, copy, (ids) => ids.fill(0))
    return copy
  }
  return Buffer.compare(blank(one), blank(other)) === 0
}

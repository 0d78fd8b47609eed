import { damaged } from '../../errors/index.js'
import { wordsOf } from '../../format/ids.js'
import type { TreeCursor } from '../../format/tree-cursor.js'
import { type ChunkTable, notFound } from '../../repository/chunk-table.js'

/** What the ids of a file take in memory is bounded by this: 16 TiB in chunks of 1 MiB. */
const maxChunksOfFile = 16 * 1024 * 1024

type Fields = Pick<TreeCursor, 'extents' | 'sizeBytes'>

/** How many bytes the chunks of a file must have. */
export function expectedLength({ extents, sizeBytes }: Fields): number {
  return extents?.reduce((sum, extent) => sum + extent.length, 0) ?? sizeBytes
}

/**
 * @param length bytes of all chunks of a file
 * @returns what is wrong when they are not what the entry says, for people
 */
export function lengthFault(file: Fields, length: number): string | undefined {
  const { extents, sizeBytes } = file
  const expected = expectedLength(file)
  if (length !== expected) return `its content has ${length} bytes instead of ${expected}`
  const last = extents?.at(-1)
  const end = last === undefined ? 0 : last.offset + last.length
  if (end > sizeBytes) return `its content goes on up to ${end}, behind its end at ${sizeBytes}`
  return undefined
}

/**
 * @param ids of all chunks, lists unfolded
 * @returns their table entries
 * @throws BkpError `damaged` unless they are all there and are the content that the entry says
 */
export function locateChunks(file: Fields, ids: Uint8Array, table: ChunkTable): number[] {
  const words = wordsOf(ids)
  const entries: number[] = []
  let length = 0
  for (let at = 0; at < words.length; at += 8) {
    const entry = table.find(words.subarray(at, at + 8))
    if (entry === notFound) throw damaged('part of its content is not in the index')
    length += table.plainLengthOf(entry)
    entries.push(entry)
  }
  const fault = lengthFault(file, length)
  if (fault !== undefined) throw damaged(fault)
  return entries
}

interface Measure {
  readonly chunks: number
  readonly bytes: number
}

/**
 * Unfolds lists of chunks. A few lists that name one another often can stand for more chunks than any memory has, so
 * that it is counted what would come out before it is unfolded.
 */
export class ContentReader {
  readonly #table: ChunkTable
  readonly #readList: (id: Uint8Array) => Promise<Uint8Array>

  constructor(table: ChunkTable, readList: (id: Uint8Array) => Promise<Uint8Array>) {
    this.#table = table
    this.#readList = readList
  }

  /**
   * @param expectedBytes what all chunks have together
   * @throws BkpError `damaged`
   */
  async unfold(depth: number, ids: Uint8Array, expectedBytes: number): Promise<Uint8Array> {
    const { chunks } = await this.#measure(depth, ids, expectedBytes, new Map())
    const unfolded = new Uint8Array(chunks * 32)
    await this.#fill(depth, ids, unfolded, 0)
    return unfolded
  }

  /** @param known lists by depth and id, so that each is read once */
  async #measure(depth: number, ids: Uint8Array, expectedBytes: number, known: Map<string, Measure>): Promise<Measure> {
    let chunks = 0
    let bytes = 0
    const words = depth === 0 ? wordsOf(ids) : undefined
    for (let at = 0; at < ids.length; at += 32) {
      const part =
        words === undefined
          ? await this.#measureList(depth, ids.subarray(at, at + 32), expectedBytes, known)
          : { chunks: 1, bytes: this.#lengthOf(words.subarray(at / 4, at / 4 + 8)) }
      chunks += part.chunks
      bytes += part.bytes
      if (bytes > expectedBytes) throw damaged(`its content has more than ${expectedBytes} bytes`)
      if (chunks > maxChunksOfFile) throw damaged(`its content has more than ${maxChunksOfFile} chunks`)
    }
    return { chunks, bytes }
  }

  async #measureList(
    depth: number,
    id: Uint8Array,
    expectedBytes: number,
    known: Map<string, Measure>,
  ): Promise<Measure> {
    const key = depth + Buffer.from(id).toString('latin1')
    const found = known.get(key) ?? (await this.#measure(depth - 1, await this.#list(id), expectedBytes, known))
    known.set(key, found)
    return found
  }

  async #fill(depth: number, ids: Uint8Array, into: Uint8Array, from: number): Promise<number> {
    if (depth === 0) {
      into.set(ids, from)
      return from + ids.length
    }
    let end = from
    for (let at = 0; at < ids.length; at += 32)
      end = await this.#fill(depth - 1, await this.#list(ids.subarray(at, at + 32)), into, end)
    return end
  }

  async #list(id: Uint8Array): Promise<Uint8Array> {
    const list = await this.#readList(id)
    if (list.length % 32 !== 0) throw damaged('A list of blobs has an impossible length')
    return list
  }

  // An unknown chunk has no length here: whoever looks it up says that it is missing.
  #lengthOf(id: Uint32Array): number {
    const entry = this.#table.find(id)
    return entry === notFound ? 0 : this.#table.plainLengthOf(entry)
  }
}

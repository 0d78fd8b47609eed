import { changedFlag, entryFixedBytes, entryKinds, tags } from '../../format/tree-layout.js'

/** What the encoded entries of a directory are in sum. */
export interface DescribedEntries {
  readonly count: number
  readonly files: number
  /** Neither files nor directories. */
  readonly others: number
  /** Of the files. */
  readonly bytes: number
  /** Tree ids of the directories, by name in latin1. Views on the entries. */
  readonly trees: ReadonlyMap<string, Uint8Array>
}

const [file, directory] = [entryKinds.indexOf('file') + 1, entryKinds.indexOf('directory') + 1]
const sizeAt = 40

/**
 * Counts encoded entries.
 * @param pieces whole entries with their lengths, in order
 * @returns undefined when one of them could not be read, or changed while it was read
 */
export function describeEntries(pieces: Iterable<Uint8Array>): DescribedEntries | undefined {
  let [count, files, others, bytes] = [0, 0, 0, 0]
  const trees = new Map<string, Uint8Array>()
  for (const piece of pieces) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length)
    for (let at = 0; at < piece.length; count++) {
      const start = at + 4
      const end = start + view.getUint32(at, true)
      const kind = piece[start]
      if (((piece[start + 1] as number) & changedFlag) !== 0) return undefined
      const nameEnd = start + entryFixedBytes + view.getUint16(start + 2, true)
      let tree: Uint8Array | undefined
      for (let field = nameEnd; field < end; field += 5 + view.getUint32(field + 1, true)) {
        if (piece[field] === tags.error) return undefined
        if (piece[field] === tags.tree) tree = piece.subarray(field + 5, field + 5 + view.getUint32(field + 1, true))
      }
      if (kind === file) {
        files++
        bytes += view.getInt32(start + sizeAt + 4, true) * 2 ** 32 + view.getUint32(start + sizeAt, true)
      } else if (kind !== directory) others++
      else if (tree === undefined) return undefined
      else trees.set(Buffer.from(piece.subarray(start + entryFixedBytes, nameEnd)).toString('latin1'), tree)
      at = end
    }
  }
  return { count, files, others, bytes, trees }
}

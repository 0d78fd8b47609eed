import { TreeWriter } from '../../format/tree-writer.js'
import { blobType } from './blob-writer.js'
import { IdList } from './id-list.js'
import type { ScanContext } from './scan-context.js'

/** Puts encoded entries, in order, into tree blobs and gives the ids of these. */
export function writeTree(context: ScanContext, pieces: readonly Uint8Array[]): Uint8Array {
  const ids = new IdList()
  const tree = new TreeWriter((blob) => context.writer.store(blobType.tree, blob, ids))
  for (const piece of pieces) {
    const view = new DataView(piece.buffer, piece.byteOffset, piece.length)
    for (let at = 0; at < piece.length; ) {
      const end = at + 4 + view.getUint32(at, true)
      tree.add(piece.subarray(at, end))
      at = end
    }
  }
  tree.finish(ids.count === 0)
  return ids.copy()
}

export function emptyTree(context: ScanContext): Uint8Array {
  return writeTree(context, [])
}

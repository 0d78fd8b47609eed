import type { SourceEntry } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { wordsOf } from '../../format/ids.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import type { BlobReader } from '../../repository/blob-reader.js'
import { blobType } from './blob-writer.js'

/** The entries of one directory in the parent snapshot, looked up in ascending order of names. */
export class KnownEntries {
  readonly #blobs: readonly Uint8Array[]
  #next = 0
  #cursor: TreeCursor | undefined

  private constructor(blobs: readonly Uint8Array[]) {
    this.#blobs = blobs
  }

  /**
   * @param ids tree ids, none for a directory that is new
   * @returns what could be read: a damaged parent only costs speed, since everything is read again then
   */
  static async load(reader: BlobReader, ids: Uint8Array): Promise<KnownEntries> {
    const blobs: Uint8Array[] = []
    try {
      for (let at = 0; at < ids.length; at += 32) {
        blobs.push(await reader.read(wordsOf(ids.subarray(at, at + 32)), blobType.tree))
      }
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      return new KnownEntries([])
    }
    return new KnownEntries(blobs)
  }

  /** The entry of that name. Valid until the next call; names must ascend. */
  find(name: Uint8Array): TreeCursor | undefined {
    for (;;) {
      if (this.#cursor === undefined) {
        const blob = this.#blobs[this.#next++]
        if (blob === undefined) return undefined
        this.#cursor = new TreeCursor(blob)
        if (!this.#advance()) continue
      }
      const order = Buffer.compare(this.#cursor.name, name)
      if (order === 0) return this.#cursor
      if (order > 0) return undefined
      this.#advance()
    }
  }

  #advance(): boolean {
    if (this.#cursor?.next()) return true
    this.#cursor = undefined
    return false
  }
}

/** Whether content and metadata are what they were: size, mtime, ctime, inode, mode and owner. */
export function isUnchanged(known: TreeCursor, entry: SourceEntry): boolean {
  return (
    known.kind === entry.kind &&
    known.mtimeSeconds === entry.mtimeSeconds &&
    known.mtimeNanoseconds === entry.mtimeNanoseconds &&
    known.ctimeSeconds === entry.ctimeSeconds &&
    known.ctimeNanoseconds === entry.ctimeNanoseconds &&
    known.sizeBytes === entry.sizeBytes &&
    known.inode === entry.inode &&
    known.mode === entry.mode &&
    known.uid === entry.uid &&
    known.gid === entry.gid &&
    !known.changedWhileRead &&
    known.error === undefined
  )
}

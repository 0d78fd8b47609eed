import type { SourceEntry } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { compareBytes } from '../../format/compare.js'
import { wordsOf } from '../../format/ids.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { treeHeaderBytes } from '../../format/tree-layout.js'
import type { BlobReader } from '../../repository/blob-reader.js'
import { blobType } from './blob-writer.js'

/**
 * The entries of one directory in the parent snapshot, looked up in ascending order of names. As long as all that is found
 * is as it was, nothing has to be written: the entries accepted so far are the beginning of the parent's trees.
 */
export class KnownEntries {
  readonly #ids: Uint8Array
  readonly #blobs: readonly Uint8Array[]
  #trees: ReadonlyMap<string, Uint8Array> | undefined
  #next = 0
  #cursor: TreeCursor | undefined
  /** Where the accepted beginning ends. */
  #acceptedBlob = 0
  #acceptedBytes = treeHeaderBytes

  private constructor(ids: Uint8Array, blobs: readonly Uint8Array[]) {
    this.#ids = ids
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
      return new KnownEntries(new Uint8Array(0), [])
    }
    return new KnownEntries(ids, blobs)
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
      const order = compareBytes(this.#cursor.name, name)
      if (order === 0) return this.#cursor
      if (order > 0) return undefined
      this.#advance()
    }
  }

  /** Tree ids of a directory, whatever was looked for before; none when it was none. */
  treeOf(name: Uint8Array): Uint8Array {
    this.#trees ??= this.#readTrees()
    return this.#trees.get(Buffer.from(name).toString('latin1')) ?? new Uint8Array(0)
  }

  /**
   * Takes the entry found last as it is.
   * @returns false when it does not follow the accepted ones, because something in between is gone
   */
  accept(): boolean {
    const cursor = this.#cursor
    const blob = this.#next - 1
    if (cursor === undefined) return false
    const isNext =
      blob === this.#acceptedBlob
        ? cursor.startsAt === this.#acceptedBytes
        : blob === this.#acceptedBlob + 1 && this.#isAtEnd() && cursor.startsAt === treeHeaderBytes
    if (!isNext) return false
    this.#acceptedBlob = blob
    this.#acceptedBytes = cursor.endsAt
    return true
  }

  /** The encoded entries accepted so far, in order. */
  *accepted(): Generator<Uint8Array> {
    for (const [n, blob] of this.#blobs.entries()) {
      if (n > this.#acceptedBlob) return
      yield blob.subarray(treeHeaderBytes, n === this.#acceptedBlob ? this.#acceptedBytes : blob.length)
    }
  }

  /** Ids of the parent's trees when all of their entries were accepted. */
  get acceptedTree(): Uint8Array | undefined {
    return this.#blobs.length > 0 && this.#acceptedBlob === this.#blobs.length - 1 && this.#isAtEnd()
      ? this.#ids
      : undefined
  }

  #readTrees(): ReadonlyMap<string, Uint8Array> {
    const trees = new Map<string, Uint8Array>()
    for (const blob of this.#blobs) {
      const cursor = new TreeCursor(blob)
      while (cursor.next()) {
        const { tree } = cursor
        if (tree !== undefined) trees.set(Buffer.from(cursor.name).toString('latin1'), tree.slice())
      }
    }
    return trees
  }

  #isAtEnd(): boolean {
    return this.#acceptedBytes === this.#blobs[this.#acceptedBlob]?.length
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

import { BkpError, isBkpError } from '../../errors/index.js'
import { wordsOf } from '../../format/ids.js'
import { maxDirectoryDepth } from '../../format/limits.js'
import { fromJsonBytes, rootTreeOf } from '../../format/snapshot.js'
import { TreeCursor } from '../../format/tree-cursor.js'
import { createKeyedHasher } from '../../hash/keyed-hasher.js'
import { BlobReader } from '../../repository/blob-reader.js'
import type { ChunkTable } from '../../repository/chunk-table.js'
import { Codecs } from '../../repository/codecs.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { loadSnapshot } from '../../repository/snapshots.js'
import { blobType } from '../backup/blob-writer.js'
import type { OperationContext } from '../context.js'
import type { PackCache } from '../pack-cache.js'
import { ContentReader, expectedLength } from './content.js'

const metadataPacksBytes = 128 * 1024 * 1024

/** Where a walk begins: a directory's trees, or a single entry. */
export interface WalkRoot {
  /** Tree ids; empty for a single entry. */
  readonly tree: Uint8Array
  /** The single entry, when the path names no directory. */
  readonly self: TreeCursor | undefined
  /** The entry of the directory itself; the root of all has none. */
  readonly directory: TreeCursor | undefined
  /** Components of the walk's root inside the snapshot. */
  readonly prefix: readonly Uint8Array[]
  /** Components of each path that was backed up. */
  readonly backedUp: readonly (readonly Uint8Array[])[]
}

export interface WalkedEntry {
  /** Components relative to the walk's root. */
  readonly path: readonly Uint8Array[]
  /** Valid until the walk goes on. */
  readonly cursor: TreeCursor
}

/** A directory whose tree could not be read. */
export interface WalkDamage {
  readonly path: readonly Uint8Array[]
  readonly message: string
}

/** Walks over snapshots, directories before what is in them. */
export class TreeWalker {
  readonly #context: OperationContext
  readonly #reader: BlobReader
  readonly #table: ChunkTable
  #contents: ContentReader | undefined
  /** What was damaged on the way; a walk goes on beside it. */
  readonly damages: WalkDamage[] = []

  private constructor(context: OperationContext, reader: BlobReader, table: ChunkTable) {
    this.#context = context
    this.#reader = reader
    this.#table = table
  }

  /** @param cache where metadata packs are kept, to share it with others */
  static async create(
    context: OperationContext,
    index: RepositoryIndex,
    cache: PackCache = context.packCache(index.packs, metadataPacksBytes),
  ): Promise<TreeWalker> {
    const [codecs, hasher] = await Promise.all([
      Codecs.load(context.describeCodecs(index.compressions), context.plugins.contain),
      createKeyedHasher(context.repository.keys.blobId),
    ])
    const parts = {
      table: index.table,
      codecs,
      hasher,
      keys: context.repository.keys,
      repositoryId: context.repository.id,
    }
    return new TreeWalker(context, new BlobReader(parts, (pack) => cache.get(pack), metadataPacksBytes), index.table)
  }

  /**
   * @param snapshotId all of it
   * @param path absolute path inside the snapshot; undefined for all of it
   * @throws BkpError `not-found`, `damaged`
   */
  async start(snapshotId: string, path: Uint8Array | undefined): Promise<WalkRoot> {
    const { snapshot } = await loadSnapshot(this.#context.repository, this.#context.cipherFor, snapshotId)
    let tree: Uint8Array = rootTreeOf(snapshot)
    let self: TreeCursor | undefined
    let directory: TreeCursor | undefined
    const prefix = componentsOf(path ?? new Uint8Array(0))
    for (const name of prefix) {
      const found = tree.length === 0 ? undefined : await this.#find(tree, name)
      if (found === undefined) {
        throw new BkpError(
          'not-found',
          `The snapshot ${snapshotId.slice(0, 8)} has no ${Buffer.from(path ?? []).toString()}`,
          {
            hint: `See what it has: bkp ls ${snapshotId.slice(0, 8)}`,
          },
        )
      }
      tree = found.kind === 'directory' ? (found.tree?.slice() ?? new Uint8Array(0)) : new Uint8Array(0)
      self = found.kind === 'directory' ? undefined : found
      directory = found.kind === 'directory' ? found : undefined
    }
    return {
      tree,
      self,
      directory,
      prefix,
      backedUp: snapshot.paths.map((bytes) => componentsOf(fromJsonBytes(bytes))),
    }
  }

  async *walk(root: WalkRoot, isRecursive = true): AsyncGenerator<WalkedEntry> {
    if (root.self !== undefined) yield { path: [root.self.name.slice()], cursor: root.self }
    else yield* this.#walk(root.tree, isRecursive)
  }

  /** The entries of one tree blob. @throws BkpError `damaged` */
  async *entriesOf(treeId: Uint8Array): AsyncGenerator<{ readonly cursor: TreeCursor }> {
    const cursor = new TreeCursor(await this.readBlob(treeId, blobType.tree))
    while (cursor.next()) yield { cursor }
  }

  /** Reads a blob by its id. */
  readBlob(id: Uint8Array, type: number): Promise<Uint8Array> {
    return this.#reader.read(wordsOf(id), type)
  }

  /** The data blob ids of a file, lists unfolded. @throws BkpError `damaged` */
  async contentIds(cursor: TreeCursor): Promise<Uint8Array> {
    const { content } = cursor
    if (content === undefined || content.depth === 0) return content?.ids ?? new Uint8Array(0)
    this.#contents ??= new ContentReader(this.#table, (id) => this.readBlob(id, blobType.list))
    return this.#contents.unfold(content.depth, content.ids, expectedLength(cursor))
  }

  // A stack of our own instead of recursion: paths may be thousands of levels deep.
  async *#walk(tree: Uint8Array, isRecursive: boolean): AsyncGenerator<WalkedEntry> {
    const stack: {
      ids: Uint8Array
      at: number
      cursor: TreeCursor | undefined
      path: readonly Uint8Array[]
      last: Uint8Array | undefined
    }[] = []
    stack.push({ ids: tree, at: 0, cursor: undefined, path: [], last: undefined })
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      try {
        if (top.cursor === undefined) {
          if (top.at >= top.ids.length) {
            stack.pop()
            continue
          }
          const id = top.ids.subarray(top.at, top.at + 32)
          top.at += 32
          top.cursor = new TreeCursor(await this.readBlob(id, blobType.tree))
        }
        if (!top.cursor.next()) {
          top.cursor = undefined
          continue
        }
        if (top.last !== undefined && Buffer.compare(top.last, top.cursor.name) >= 0)
          throw new BkpError('damaged', 'The trees of a directory are not in order')
      } catch (error) {
        if (!isBkpError(error, 'damaged')) throw error
        this.damages.push({ path: top.path, message: error.message })
        // What is left of this part of the directory cannot be trusted; its other parts can.
        top.cursor = undefined
        continue
      }
      const { cursor } = top
      top.last = cursor.name
      const path = [...top.path, cursor.name.slice()]
      const below = isRecursive && cursor.kind === 'directory' ? cursor.tree?.slice() : undefined
      yield { path, cursor }
      if (below === undefined) continue
      if (stack.length >= maxDirectoryDepth) {
        this.damages.push({ path, message: `directories are nested more than ${maxDirectoryDepth} deep` })
      } else stack.push({ ids: below, at: 0, cursor: undefined, path, last: undefined })
    }
  }

  async #find(tree: Uint8Array, name: Uint8Array): Promise<TreeCursor | undefined> {
    for (let at = 0; at < tree.length; at += 32) {
      const cursor = new TreeCursor(await this.readBlob(tree.subarray(at, at + 32), blobType.tree))
      while (cursor.next()) if (Buffer.compare(cursor.name, name) === 0) return cursor
    }
    return undefined
  }
}

function componentsOf(path: Uint8Array): readonly Uint8Array[] {
  const names = Buffer.from(path).toString('latin1').split('/')
  return names.filter((name) => name !== '').map((name) => Buffer.from(name, 'latin1'))
}

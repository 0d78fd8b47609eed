import { isPortError } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { packKey, snapshotKey } from '../../format/ids.js'
import { maxDirectoryDepth } from '../../format/limits.js'
import type { TreeCursor } from '../../format/tree-cursor.js'
import type { PackKind } from '../../repository/pack-registry.js'
import type { BrokenObject, RepositoryIndex } from '../../repository/repository-index.js'
import { loadSnapshots, type StoredSnapshot } from '../../repository/snapshots.js'
import { throwIfAborted } from '../abort.js'
import type { CheckOptions, RawPath } from '../api.js'
import { lengthFault } from '../browse/content.js'
import { TreeWalker } from '../browse/tree-walker.js'
import type { OperationContext } from '../context.js'
import type { Damages } from './damages.js'

export interface SnapshotCheckParts {
  readonly index: RepositoryIndex
  /** By table entry: 1 for blobs that are known to be damaged. */
  readonly bad: Uint8Array
  /** By pack: set to 1 for those that a snapshot needs. */
  readonly used: Uint8Array
  readonly damages: Damages
}

interface Directory {
  readonly ids: Uint8Array
  readonly path: Uint8Array
  readonly depth: number
}

/** A tree by its table entry, and the directory it belongs to. */
interface TreePlace {
  readonly entry: number
  readonly path: Uint8Array
  readonly depth: number
}

/** Walks over all snapshots, each tree once, and finds what a restore would refuse. */
export class SnapshotCheck {
  readonly #parts: SnapshotCheckParts
  readonly #walker: TreeWalker
  /** 1 for trees that were walked: snapshots share most of theirs. */
  readonly #walked: Uint8Array
  /** First and last names of trees that are one of several of a directory, which must be in order. */
  readonly #bounds = new Map<number, { readonly first: Uint8Array; readonly last: Uint8Array }>()
  readonly #words = new Uint32Array(8)
  readonly #bytes = new Uint8Array(this.#words.buffer)
  #snapshotId = ''

  private constructor(parts: SnapshotCheckParts, walker: TreeWalker) {
    this.#parts = parts
    this.#walker = walker
    this.#walked = new Uint8Array(parts.index.table.count)
  }

  /** @returns how many snapshots there are */
  static async run(context: OperationContext, parts: SnapshotCheckParts, options: CheckOptions): Promise<number> {
    const broken: BrokenObject[] = []
    const snapshots = await loadSnapshots(context.repository, context.cipherFor, broken)
    parts.damages.addBroken(broken)
    const check = new SnapshotCheck(parts, await TreeWalker.create(context, parts.index))
    for (const snapshot of snapshots) await check.#walk(snapshot, options)
    return snapshots.length
  }

  async #walk({ id, snapshot }: StoredSnapshot, { signal }: CheckOptions): Promise<void> {
    this.#snapshotId = id
    const root = Buffer.concat(snapshot.tree.map((tree) => Buffer.from(tree, 'hex')))
    const stack: Directory[] = [{ ids: root, path: new Uint8Array(0), depth: 0 }]
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      throwIfAborted(signal)
      stack.push(...(await this.#directory(next)))
    }
  }

  /** @returns the directories inside of it that were not walked yet */
  async #directory({ ids, path, depth }: Directory): Promise<Directory[]> {
    const below: Directory[] = []
    let last: Uint8Array | undefined
    for (let at = 0; at < ids.length; at += 32) {
      const id = ids.subarray(at, at + 32)
      const entry = this.#visit(id, path, 'metadata')
      if (entry < 0) continue
      try {
        if (this.#walked[entry] !== 1) await this.#tree(id, { entry, path, depth }, below)
        if (ids.length === 32) continue
        const bounds = await this.#boundsOf(id, entry)
        if (last !== undefined && bounds !== undefined && Buffer.compare(last, bounds.first) >= 0)
          this.#blame(entry, 'the trees of a directory are not in order', path)
        last = bounds?.last ?? last
      } catch (error) {
        this.#blame(entry, damageOf(error), path)
      }
    }
    return below
  }

  async #tree(id: Uint8Array, place: TreePlace, below: Directory[]): Promise<void> {
    this.#walked[place.entry] = 1
    for await (const { cursor } of this.#walker.entriesOf(id)) await this.#entry(cursor, place, below)
  }

  /** @returns undefined for a tree without entries */
  async #boundsOf(id: Uint8Array, entry: number) {
    const known = this.#bounds.get(entry)
    if (known !== undefined) return known
    let first: Uint8Array | undefined
    let last: Uint8Array | undefined
    for await (const { cursor } of this.#walker.entriesOf(id)) {
      first ??= cursor.name.slice()
      last = cursor.name
    }
    if (first === undefined || last === undefined) return undefined
    const bounds = { first, last: last.slice() }
    this.#bounds.set(entry, bounds)
    return bounds
  }

  async #entry(cursor: TreeCursor, { entry, path, depth }: TreePlace, below: Directory[]): Promise<void> {
    const entryPath = Buffer.concat([path, Buffer.from('/'), cursor.name])
    const { tree } = cursor
    if (tree !== undefined) {
      if (depth + 1 < maxDirectoryDepth) below.push({ ids: tree.slice(), path: entryPath, depth: depth + 1 })
      else this.#blame(entry, `directories are nested more than ${maxDirectoryDepth} deep`, entryPath)
    }
    try {
      const fault = await this.#content(cursor, entryPath)
      if (fault !== undefined) this.#blame(entry, fault, entryPath)
    } catch (error) {
      this.#blame(entry, damageOf(error), entryPath)
    }
  }

  /** @returns what is wrong with the content of a file as its tree describes it */
  async #content(cursor: TreeCursor, path: Uint8Array): Promise<string | undefined> {
    if (cursor.kind !== 'file' || cursor.error !== undefined) return undefined
    const { content } = cursor
    if (content !== undefined && content.depth > 0) {
      for (let at = 0; at < content.ids.length; at += 32)
        this.#visit(content.ids.subarray(at, at + 32), path, 'metadata')
    }
    const ids = await this.#walker.contentIds(cursor)
    let length = 0
    for (let at = 0; at < ids.length; at += 32) {
      const entry = this.#visit(ids.subarray(at, at + 32), path, 'data')
      // What is missing is said; the length of the rest means nothing.
      if (entry < 0) length = Number.NaN
      else length += this.#parts.index.table.plainLengthOf(entry)
    }
    return Number.isNaN(length) ? undefined : lengthFault(cursor, length)
  }

  /** Notes that a snapshot needs a blob. @returns its table entry, or -1 when it cannot be had */
  #visit(id: Uint8Array, path: Uint8Array, kind: PackKind): number {
    const { index, bad, used, damages } = this.#parts
    this.#bytes.set(id)
    const entry = index.table.find(this.#words)
    const pack = entry < 0 ? -1 : index.table.packOf(entry)
    if (pack < 0) {
      const blob = `${Buffer.from(id).toString('hex').slice(0, 16)}…`
      damages.add(snapshotKey(this.#snapshotId), `needs blob ${blob}, which the index does not have`, rawPath(path))
      return -1
    }
    used[pack] = 1
    const key = packKey(index.packs.nameOf(pack))
    if (bad[entry] === 1) damages.affect(key, 'a blob in it is damaged', rawPath(path))
    else if (index.packs.kindOf(pack) !== kind)
      damages.add(key, 'a blob in it is used as what it is not', rawPath(path))
    else return entry
    return -1
  }

  /** Says what is wrong of the pack that holds a tree. */
  #blame(entry: number, message: string, path: Uint8Array): void {
    const { index, damages } = this.#parts
    damages.add(packKey(index.packs.nameOf(index.table.packOf(entry))), message, rawPath(path))
  }
}

function damageOf(error: unknown): string {
  if (isBkpError(error, 'damaged') || isPortError(error, 'corrupt') || isPortError(error, 'not-found'))
    return error.message
  throw error
}

function rawPath(bytes: Uint8Array): RawPath {
  return { text: bytes.length === 0 ? '/' : Buffer.from(bytes).toString(), bytes }
}

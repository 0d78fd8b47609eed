import { BkpError, damaged, isBkpError } from '../../errors/index.js'
import type { TreeCursor } from '../../format/tree-cursor.js'
import type { ChunkTable } from '../../repository/chunk-table.js'
import { loadSnapshots } from '../../repository/snapshots.js'
import { throwIfAborted } from '../abort.js'
import type { FindOptions, FoundEntry, ListedEntry, RepositoryStats, RunOptions } from '../api.js'
import { blobType } from '../backup/blob-writer.js'
import type { OperationContext } from '../context.js'
import { locateChunks } from './content.js'
import { absolutePath, listedEntryOf } from './listed-entry.js'
import { TreeWalker, type WalkDamage } from './tree-walker.js'

/** The entries of a snapshot below a path. */
export async function* listEntries(
  context: OperationContext,
  snapshotId: string,
  path: Uint8Array | undefined,
  options: RunOptions & { readonly recursive: boolean },
): AsyncGenerator<ListedEntry> {
  const walker = await TreeWalker.create(context, await context.loadIndex({}))
  const root = await walker.start(snapshotId, path)
  const base = root.self === undefined ? path : parentOf(path)
  for await (const { path: parts, cursor } of walker.walk(root, options.recursive)) {
    throwIfAborted(options.signal)
    yield listedEntryOf(cursor, absolutePath(base, parts))
  }
  throwIfDamaged(walker.damages)
}

/** Entries of several snapshots that fit a glob. */
export async function* findEntries(context: OperationContext, options: FindOptions): AsyncGenerator<FoundEntry> {
  const walker = await TreeWalker.create(context, await context.loadIndex({}))
  const { Minimatch } = await import('minimatch')
  const matcher = new Minimatch(options.pattern, {
    dot: true,
    nocase: options.ignoreCase,
    matchBase: !options.pattern.includes('/'),
  })
  const ids = options.snapshots ?? (await loadSnapshots(context.repository, context.cipherFor)).map(({ id }) => id)
  for (const snapshotId of ids) {
    for await (const { path, cursor } of walker.walk(await walker.start(snapshotId, undefined))) {
      throwIfAborted(options.signal)
      const absolute = absolutePath(undefined, path)
      if (matcher.match(Buffer.from(absolute).toString())) yield { snapshotId, entry: listedEntryOf(cursor, absolute) }
    }
  }
  throwIfDamaged(walker.damages)
}

/** The content of one file; holes come as zeros. */
export async function* dumpFile(
  context: OperationContext,
  snapshotId: string,
  path: Uint8Array,
  options: RunOptions,
): AsyncGenerator<Uint8Array> {
  const index = await context.loadIndex({})
  const walker = await TreeWalker.create(context, index)
  const { self } = await walker.start(snapshotId, path)
  if (self?.kind !== 'file') {
    throw new BkpError('usage', `${Buffer.from(path).toString()} is not a file`, {
      hint: 'Folders are restored by: bkp restore',
    })
  }
  if (self.error !== undefined) throw new BkpError('source-unreadable', `This file was not backed up: ${self.error}`)
  // All of it before the first byte: what is written out cannot be taken back.
  const ids = await locateFile(walker, self, index.table).catch(nameFile(path))
  const extents = self.extents ?? [{ offset: 0, length: self.sizeBytes }]
  let position = 0
  let extent = 0
  let left = extents[0]?.length ?? 0
  for (let at = 0; at < ids.length; at += 32) {
    throwIfAborted(options.signal)
    let blob = await walker.readBlob(ids.subarray(at, at + 32), blobType.data).catch(nameFile(path))
    while (blob.length > 0) {
      while (left === 0) left = extents[++extent]?.length ?? Number.POSITIVE_INFINITY
      const offset =
        self.extents === undefined ? position : (extents[extent]?.offset ?? 0) + (extents[extent]?.length ?? 0) - left
      yield* zeros(offset - position)
      const piece = blob.subarray(0, Math.min(left, blob.length))
      yield piece
      position = offset + piece.length
      left -= piece.length
      blob = blob.subarray(piece.length)
    }
  }
  yield* zeros(self.sizeBytes - position)
}

async function locateFile(walker: TreeWalker, file: TreeCursor, table: ChunkTable): Promise<Uint8Array> {
  const ids = await walker.contentIds(file)
  locateChunks(file, ids, table)
  return ids
}

/** Makes damage of a blob the damage of a file. */
function nameFile(path: Uint8Array): (error: unknown) => never {
  return (error) => {
    if (!isBkpError(error, 'damaged')) throw error
    throw damaged(`${Buffer.from(path).toString()} is damaged: ${error.message}`, error)
  }
}

/** How much there is. */
export async function countRepository(context: OperationContext): Promise<RepositoryStats> {
  const index = await context.loadIndex({})
  const snapshots = await loadSnapshots(context.repository, context.cipherFor)
  let storedBytes = 0
  for await (const { sizeBytes } of context.storage.list('')) storedBytes += sizeBytes
  let blobBytes = 0
  for (let entry = 0; entry < index.table.count; entry++) blobBytes += index.table.plainLengthOf(entry)
  return {
    snapshots: snapshots.length,
    packs: index.packs.count,
    blobs: index.table.count,
    storedBytes,
    blobBytes,
    snapshotBytes: snapshots.reduce((sum, { snapshot }) => sum + (snapshot.stats.bytes ?? 0), 0),
  }
}

export function throwIfDamaged(damages: readonly WalkDamage[]): void {
  const [first] = damages
  if (first === undefined) return
  const where = Buffer.from(absolutePath(undefined, first.path)).toString() || '/'
  throw new BkpError(
    'damaged',
    `${damages.length} ${damages.length === 1 ? 'directory' : 'directories'} could not be read, the first is ${where}: ${first.message}`,
    {
      hint: 'See what is damaged: bkp check',
    },
  )
}

const zeroPiece = new Uint8Array(1024 * 1024)

function* zeros(count: number): Generator<Uint8Array> {
  for (let left = count; left > 0; left -= zeroPiece.length)
    yield zeroPiece.subarray(0, Math.min(left, zeroPiece.length))
}

function parentOf(path: Uint8Array | undefined): Uint8Array | undefined {
  if (path === undefined) return undefined
  const text = Buffer.from(path).toString('latin1').replace(/\/+$/, '')
  return Buffer.from(text.slice(0, Math.max(0, text.lastIndexOf('/'))), 'latin1')
}

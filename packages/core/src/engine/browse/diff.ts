import type { TreeCursor } from '../../format/tree-cursor.js'
import { throwIfAborted } from '../abort.js'
import type { DiffEntry, RunOptions } from '../api.js'
import type { OperationContext } from '../context.js'
import { throwIfDamaged } from './browse.js'
import { absolutePath, listedEntryOf } from './listed-entry.js'
import { TreeWalker, type WalkedEntry } from './tree-walker.js'

/** What differs between two snapshots, in order of paths. */
export async function* diffSnapshots(
  context: OperationContext,
  before: string,
  after: string,
  options: RunOptions,
): AsyncGenerator<DiffEntry> {
  const index = await context.loadIndex({})
  const [oldWalker, newWalker] = [await TreeWalker.create(context, index), await TreeWalker.create(context, index)]
  const olds = oldWalker.walk(await oldWalker.start(before, undefined))
  const news = newWalker.walk(await newWalker.start(after, undefined))
  let old = (await olds.next()).value as WalkedEntry | undefined
  let now = (await news.next()).value as WalkedEntry | undefined
  while (old !== undefined || now !== undefined) {
    throwIfAborted(options.signal)
    const order = old === undefined ? 1 : now === undefined ? -1 : comparePaths(old.path, now.path)
    if (order < 0 && old !== undefined) yield { change: 'removed', path: listed(old).path, before: listed(old) }
    else if (order > 0 && now !== undefined) yield { change: 'added', path: listed(now).path, after: listed(now) }
    else if (old !== undefined && now !== undefined) {
      const change = changeOf(old.cursor, now.cursor)
      if (change !== undefined) yield { change, path: listed(now).path, before: listed(old), after: listed(now) }
    }
    if (order <= 0) old = (await olds.next()).value as WalkedEntry | undefined
    if (order >= 0) now = (await news.next()).value as WalkedEntry | undefined
  }
  throwIfDamaged([...oldWalker.damages, ...newWalker.damages])
}

function listed({ path, cursor }: WalkedEntry) {
  return listedEntryOf(cursor, absolutePath(undefined, path))
}

/** The order of a walk: component by component, a directory before what is in it. */
function comparePaths(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  for (let n = 0; n < Math.min(a.length, b.length); n++) {
    const order = Buffer.compare(a[n] as Uint8Array, b[n] as Uint8Array)
    if (order !== 0) return order
  }
  return a.length - b.length
}

function changeOf(before: TreeCursor, after: TreeCursor): DiffEntry['change'] | undefined {
  if (before.kind !== after.kind) return 'kind'
  const isSame = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
    Buffer.compare(a ?? new Uint8Array(0), b ?? new Uint8Array(0)) === 0
  const hasSameContent =
    isSame(before.content?.ids, after.content?.ids) &&
    isSame(before.linkTarget, after.linkTarget) &&
    before.sizeBytes === after.sizeBytes &&
    before.error === after.error
  if (!hasSameContent) return 'content'
  const hasSameMetadata =
    before.mode === after.mode &&
    before.uid === after.uid &&
    before.gid === after.gid &&
    before.mtimeSeconds === after.mtimeSeconds &&
    before.mtimeNanoseconds === after.mtimeNanoseconds &&
    JSON.stringify(before.xattrs?.map(xattrText)) === JSON.stringify(after.xattrs?.map(xattrText))
  return hasSameMetadata ? undefined : 'metadata'
}

function xattrText({ name, value }: { readonly name: Uint8Array; readonly value: Uint8Array }): string {
  return `${Buffer.from(name).toString('hex')}=${Buffer.from(value).toString('hex')}`
}

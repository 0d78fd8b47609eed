import { isPortError, PortError, type SourceEntry } from '@bkp/plugin-api'
import { BkpError } from '../../errors/index.js'
import type { TreeCursor } from '../../format/tree-cursor.js'
import { EntryEncoder } from '../../format/tree-writer.js'
import { scanDirectory } from './directory-scanner.js'
import { reasonOf } from './file-saver.js'
import { isUnchanged, KnownEntries } from './known-entries.js'
import { joinPath } from './paths.js'
import type { BackupTaskResult } from './protocol.js'
import type { Scan, ScanContext } from './scan-context.js'
import { writeTree } from './write-tree.js'

/** One component of the paths that are backed up; a directory above them, or one of them. */
interface PathNode {
  readonly name: Uint8Array
  readonly path: Uint8Array
  readonly children: Map<string, PathNode>
  isWanted: boolean
}

/** Scans all paths of a backup into one root tree in which each keeps its absolute place. */
export async function scanRoots(
  context: ScanContext,
  paths: readonly Uint8Array[],
  parentTree: Uint8Array,
): Promise<Scan> {
  const root = plant(paths)
  if (root.isWanted) {
    const { device } = await context.source.inspect(root.path)
    return scanDirectory(context, { path: root.path, rootLength: root.path.length, rootDevice: device }, parentTree)
  }
  const named: Named = { reached: 0, missing: [] }
  const scan = await scanNode(context, root, parentTree, named)
  const [reason] = named.missing
  if (named.reached === 0 && reason !== undefined)
    throw new BkpError('source-unreadable', `Nothing of what was named is there, so no snapshot was made: ${reason}`)
  return scan
}

/** What became of the paths that are backed up. */
interface Named {
  /** How many are there, whether they can be read or not. */
  reached: number
  /** For people, of those that are not. */
  readonly missing: string[]
}

function plant(paths: readonly Uint8Array[]): PathNode {
  const slash = Buffer.from('/')
  const root: PathNode = { name: new Uint8Array(0), path: slash, children: new Map(), isWanted: false }
  for (const path of paths) {
    let node = root
    let start = 0
    for (let at = 0; at <= path.length; at++) {
      if (at < path.length && path[at] !== 0x2f) continue
      const name = path.subarray(start, at)
      start = at + 1
      if (name.length === 0) continue
      const key = Buffer.from(name).toString('latin1')
      const child = node.children.get(key) ?? {
        name,
        path: joinPath(node.path, name),
        children: new Map(),
        isWanted: false,
      }
      node.children.set(key, child)
      node = child
    }
    node.isWanted = true
  }
  return root
}

async function scanNode(context: ScanContext, node: PathNode, parentTree: Uint8Array, named: Named): Promise<Scan> {
  const known = await KnownEntries.load(context.reader, parentTree)
  const children = [...node.children.values()].sort((a, b) => Buffer.compare(a.name, b.name))
  const pieces: (Encoded | Promise<Encoded>)[] = []
  for (const child of children) pieces.push(...(await scanChild(context, child, known.find(child.name), named)))
  const write = (encoded: readonly Encoded[]): BackupTaskResult => ({
    kind: 'tree',
    ids: writeTree(context, encoded.flat()),
  })
  const isReady = (piece: Encoded | Promise<Encoded>): piece is Encoded => Array.isArray(piece)
  return pieces.every(isReady) ? { now: write(pieces) } : { later: Promise.all(pieces).then(write) }
}

/** At most one encoded entry. */
type Encoded = readonly Uint8Array[]

async function scanChild(
  context: ScanContext,
  node: PathNode,
  known: TreeCursor | undefined,
  named: Named,
): Promise<readonly (Encoded | Promise<Encoded>)[]> {
  const { source, counters } = context
  let entry: SourceEntry
  try {
    entry = { ...(await source.inspect(node.path)), name: node.name }
  } catch (error) {
    if (!isPortError(error) || error.code === 'config') throw error
    if (error.code === 'not-found') named.missing.push(reasonOf(error))
    else named.reached++
    return [unreadable(context, node, error)]
  }
  if (node.isWanted) named.reached++
  const isSame = known !== undefined && isUnchanged(known, entry) && !context.options.force
  const encoder = new EntryEncoder()
  if (entry.kind === 'directory') return scanChildDirectory(context, node, entry, known, named)
  if (!node.isWanted) throw new PortError('config', `${Buffer.from(node.path).toString()} is not a directory`)
  if (entry.kind !== 'file') {
    counters.add('others')
    encoder.add(entry, await source.describe(node.path, entry), {})
    return [[encoder.view()]]
  }
  counters.add('files')
  if (isSame && entry.ctimeSeconds + 1 < context.options.parentTimeSeconds) {
    counters.add('filesUnchanged')
    counters.add('bytes', entry.sizeBytes)
    return [[known.encoded]]
  }
  counters.add(known === undefined ? 'filesNew' : 'filesChanged')
  const content = await context.saver.save(
    entry,
    () => source.openFile(node.path, entry),
    (kind, message) => context.issue(kind, node.path, message),
  )
  if (content === undefined) return []
  encoder.add(entry, await source.describe(node.path, entry), content)
  return [[encoder.view()]]
}

async function scanChildDirectory(
  context: ScanContext,
  node: PathNode,
  entry: SourceEntry,
  known: TreeCursor | undefined,
  named: Named,
): Promise<readonly (Encoded | Promise<Encoded>)[]> {
  const parentTree = known?.kind === 'directory' ? (known.tree?.slice() ?? new Uint8Array(0)) : new Uint8Array(0)
  context.counters.add('directories')
  const details = await context.source.describe(node.path, entry)
  const place = { path: node.path, rootLength: node.path.length, rootDevice: entry.device }
  const scan = node.isWanted
    ? await scanDirectory(context, place, parentTree)
    : await scanNode(context, node, parentTree, named)
  const encode = (result: BackupTaskResult): Encoded => {
    const encoder = new EntryEncoder()
    if (result.kind === 'tree') encoder.add(entry, details, { tree: result.ids })
    else if (result.kind === 'unreadable') {
      context.issue('unreadable', node.path, result.message)
      encoder.add(entry, details, { error: result.message })
    }
    return [encoder.view()]
  }
  // In a list, since an async function would wait for a bare promise.
  return ['now' in scan ? encode(scan.now) : scan.later.then(encode)]
}

function unreadable(context: ScanContext, node: PathNode, error: PortError): Encoded {
  const isGone = error.code === 'not-found'
  context.issue(isGone ? 'vanished' : 'unreadable', node.path, reasonOf(error))
  if (isGone) return []
  const encoder = new EntryEncoder()
  encoder.addError(node.name, reasonOf(error))
  return [encoder.view()]
}

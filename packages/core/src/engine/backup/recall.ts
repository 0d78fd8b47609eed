import type { PackedListing } from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import { joinPath, latin1 } from './paths.js'
import type { DirectoryPlace } from './protocol.js'
import type { Scan, ScanContext } from './scan-context.js'

/** Directories that were scanned before the one that they are in, by name in latin1. */
export type Below = Map<string, Scan>

export interface RecallOptions {
  readonly place: DirectoryPlace
  readonly packed: PackedListing
  /** What the directory had in the parent snapshot. */
  readonly parentTree: Uint8Array
  /** Takes the scans of directories in it. */
  readonly below: Below
  /** Scans a directory with all below it. */
  readonly scan: (context: ScanContext, place: DirectoryPlace, parentTree: Uint8Array) => Promise<Scan>
}

/**
 * Takes a directory for what it was when its own listing and the trees of all directories in it are what they were.
 * @returns its trees, or undefined when its entries have to be looked at
 */
export async function recall(
  context: ScanContext,
  { place, packed, parentTree, below, scan: scanChild }: RecallOptions,
): Promise<Uint8Array | undefined> {
  const { memory, counters, options } = context
  const remembered = options.force ? undefined : memory.find(place.path, packed, parentTree, options.parentTimeSeconds)
  if (remembered === undefined) return undefined
  let isAsBefore = true
  for (const { index, tree } of remembered.children) {
    const child = packed.directories[index]
    // What another file system holds may be left out, and that is decided where entries are looked at.
    if (child === undefined || (options.oneFileSystem && child.device !== place.rootDevice)) return undefined
    const scan = await scanChild(context, { ...place, path: joinPath(place.path, child.name) }, tree)
    isAsBefore &&= 'now' in scan && scan.now.kind === 'tree' && compareBytes(scan.now.ids, tree) === 0
    below.set(latin1(child.name), scan)
  }
  if (!isAsBefore) return undefined
  memory.keep(remembered)
  counters.add('files', remembered.files)
  counters.add('filesUnchanged', remembered.files)
  counters.add('bytes', remembered.bytes)
  counters.add('others', remembered.others)
  counters.add('directories', remembered.children.length)
  return remembered.tree.slice()
}

import type { EntryDetails, EntryKind, Extent, TargetEntry } from '@bkp/plugin-api'
import type { TreeCursor } from '../../format/tree-cursor.js'

/** What a target sets on an entry, copied out of the tree. */
export function targetEntryOf(cursor: TreeCursor): TargetEntry {
  const { userName, groupName, linkTarget, xattrs, deviceNumbers, hardLink } = cursor
  const details: EntryDetails = {
    ...(userName === undefined ? {} : { userName }),
    ...(groupName === undefined ? {} : { groupName }),
    ...(linkTarget === undefined ? {} : { linkTarget: linkTarget.slice() }),
    ...(xattrs === undefined
      ? {}
      : { xattrs: xattrs.map(({ name, value }) => ({ name: name.slice(), value: value.slice() })) }),
  }
  return {
    kind: cursor.kind as EntryKind,
    mode: cursor.mode,
    uid: cursor.uid,
    gid: cursor.gid,
    mtimeSeconds: cursor.mtimeSeconds,
    mtimeNanoseconds: cursor.mtimeNanoseconds,
    sizeBytes: cursor.sizeBytes,
    linkCount: hardLink?.links ?? 1,
    deviceMajor: deviceNumbers?.major ?? 0,
    deviceMinor: deviceNumbers?.minor ?? 0,
    details,
  }
}

/** Where a byte of a sparse file's data lies, and how many bytes follow in the same extent. */
export function positionInFile(extents: readonly Extent[], position: number): Extent {
  let before = 0
  for (const extent of extents) {
    if (position < before + extent.length) {
      const inside = position - before
      return { offset: extent.offset + inside, length: extent.length - inside }
    }
    before += extent.length
  }
  throw new RangeError(`Position ${position} lies behind the data of a sparse file`)
}

/** Splits NUL-ended paths into their components; the root is the empty list. */
export function splitPaths(paths: Uint8Array): readonly (readonly Uint8Array[])[] {
  const split: Uint8Array[][] = []
  let components: Uint8Array[] = []
  let start = 0
  for (let at = 0; at < paths.length; at++) {
    const byte = paths[at]
    if (byte !== 0 && byte !== 0x2f) continue
    if (at > start) components.push(paths.slice(start, at))
    start = at + 1
    if (byte === 0) {
      split.push(components)
      components = []
    }
  }
  return split
}

/** The inverse of {@link splitPaths}. */
export function joinPaths(paths: readonly (readonly Uint8Array[])[]): Uint8Array {
  const slash = Buffer.from('/')
  const end = Buffer.alloc(1)
  return Buffer.concat(paths.flatMap((path) => [...path.flatMap((name, n) => (n === 0 ? [name] : [slash, name])), end]))
}

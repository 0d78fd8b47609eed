import type { TreeCursor } from '../../format/tree-cursor.js'
import type { ListedEntry, RawPath } from '../api.js'

export function rawPath(bytes: Uint8Array): RawPath {
  return { text: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'), bytes }
}

/** An absolute path from the parts of a walk and where it began. */
export function absolutePath(base: Uint8Array | undefined, path: readonly Uint8Array[]): Uint8Array {
  const slash = Buffer.from('/')
  const start = base === undefined ? '' : Buffer.from(base).toString('latin1').replace(/\/+$/, '')
  return Buffer.concat([Buffer.from(start, 'latin1'), ...path.flatMap((name) => [slash, name])])
}

export function listedEntryOf(cursor: TreeCursor, path: Uint8Array): ListedEntry {
  const { userName, groupName, linkTarget, error } = cursor
  return {
    path: rawPath(path),
    kind: cursor.kind,
    mode: cursor.mode,
    uid: cursor.uid,
    gid: cursor.gid,
    sizeBytes: cursor.sizeBytes,
    mtimeSeconds: cursor.mtimeSeconds,
    mtimeNanoseconds: cursor.mtimeNanoseconds,
    ...(userName === undefined ? {} : { userName }),
    ...(groupName === undefined ? {} : { groupName }),
    ...(linkTarget === undefined ? {} : { linkTarget: rawPath(linkTarget.slice()) }),
    ...(error === undefined ? {} : { error }),
  }
}

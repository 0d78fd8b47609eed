import type { SourceEntry } from '@bkp/plugin-api'
import { type EntryContent, EntryEncoder, TreeWriter } from '../tree-writer.js'

const plain: SourceEntry = {
  kind: 'file',
  name: new Uint8Array(0),
  mode: 0o644,
  uid: 1000,
  gid: 1000,
  mtimeSeconds: 1_700_000_000,
  mtimeNanoseconds: 1,
  ctimeSeconds: 1_700_000_000,
  ctimeNanoseconds: 2,
  sizeBytes: 0,
  inode: 1n,
  device: 1n,
  linkCount: 1,
  deviceMajor: 0,
  deviceMinor: 0,
}

/** A file's entry, with what a test cares about. */
export function sourceEntry(name: string | Uint8Array, changes: Partial<SourceEntry> = {}): SourceEntry {
  return { ...plain, name: typeof name === 'string' ? Buffer.from(name) : name, ...changes }
}

export function encodeEntry(entry: SourceEntry, content: EntryContent = {}): Uint8Array {
  const encoder = new EntryEncoder()
  encoder.add(entry, {}, content)
  return encoder.view().slice()
}

/** The blobs of a directory. */
export function treeBlobs(encoded: readonly Uint8Array[]): Uint8Array[] {
  const blobs: Uint8Array[] = []
  const writer = new TreeWriter((blob) => blobs.push(blob.slice()))
  for (const entry of encoded) writer.add(entry)
  writer.finish(blobs.length === 0)
  return blobs
}

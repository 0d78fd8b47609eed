import type { SourceEntry } from '@bkp/plugin-api'

interface EntryParts {
  readonly kind: 'file' | 'directory'
  readonly name: string
  readonly sizeBytes: number
  readonly changedMs: number
}

/** What is no file of a disk has no owner, no inode, and a ctime equal to its mtime. */
export function entryOf({ kind, name, sizeBytes, changedMs }: EntryParts): SourceEntry {
  const seconds = Math.floor(changedMs / 1000)
  const nanoseconds = Math.floor((changedMs - seconds * 1000) * 1_000_000)
  return {
    kind,
    name: Buffer.from(name),
    mode: kind === 'file' ? 0o644 : 0o755,
    uid: 0,
    gid: 0,
    mtimeSeconds: seconds,
    mtimeNanoseconds: nanoseconds,
    ctimeSeconds: seconds,
    ctimeNanoseconds: nanoseconds,
    sizeBytes,
    inode: 0n,
    device: 0n,
    linkCount: 1,
    deviceMajor: 0,
    deviceMinor: 0,
  }
}

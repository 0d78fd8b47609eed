import type { SnapshotPlugin } from '../../format/snapshot-plugins.js'
import type { RawPath, RunOptions } from './run.js'

export interface SnapshotSummary {
  readonly id: string
  /** ISO 8601 with nanoseconds, UTC. */
  readonly time: string
  readonly hostname: string
  readonly username: string
  readonly program: string
  readonly source: string
  readonly paths: readonly RawPath[]
  readonly tags: readonly string[]
  readonly parent: string | null
  readonly stats: Readonly<Record<string, number>>
  readonly issueCount: number
  /** Packages of contributions that did not come with bkp. What a snapshot says; nobody has checked it. */
  readonly plugins: readonly SnapshotPlugin[]
}

export interface SnapshotFilter {
  readonly hostname?: string
  readonly tag?: string
  /** Texts of paths: a snapshot of any of them is meant. */
  readonly paths?: readonly string[]
}

/** One entry of a snapshot, as `ls`, `find` and `diff` show it. */
export interface ListedEntry {
  readonly path: RawPath
  readonly kind: 'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device' | 'socket' | 'error'
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly userName?: string
  readonly groupName?: string
  readonly sizeBytes: number
  readonly mtimeSeconds: number
  readonly mtimeNanoseconds: number
  readonly linkTarget?: RawPath
  readonly error?: string
}

export interface DiffEntry {
  readonly change: 'added' | 'removed' | 'content' | 'metadata' | 'kind'
  readonly path: RawPath
  readonly before?: ListedEntry
  readonly after?: ListedEntry
}

export interface FindOptions extends RunOptions {
  /** Glob over the file name, or over the whole path when it holds a `/`. */
  readonly pattern: string
  readonly ignoreCase: boolean
  /** Hex ids; default all snapshots. */
  readonly snapshots?: readonly string[]
}

export interface FoundEntry {
  readonly snapshotId: string
  readonly entry: ListedEntry
}

export interface RepositoryStats {
  readonly snapshots: number
  readonly packs: number
  readonly blobs: number
  /** Bytes in the storage. */
  readonly storedBytes: number
  /** Uncompressed bytes of all blobs. */
  readonly blobBytes: number
  /** Sum over all snapshots of the sizes of their files. */
  readonly snapshotBytes: number
}

import type { DestinationOutcome } from './destinations.js'
import type { CodecChoice, Issue, RunOptions } from './run.js'

export interface BackupOptions extends RunOptions {
  readonly source: CodecChoice
  /** Absolute paths. */
  readonly paths: readonly Uint8Array[]
  readonly tags: readonly string[]
  /** gitignore patterns, relative to each path. */
  readonly excludes: readonly string[]
  readonly excludeCaches: boolean
  readonly oneFileSystem: boolean
  readonly excludeLargerThanBytes?: number
  /** Read every file, also those that look unchanged. */
  readonly force: boolean
  /** Do all but write to the storage. */
  readonly dryRun: boolean
  readonly hostname: string
  readonly username: string
  readonly program: string
  readonly compression: CodecChoice
  readonly cipher: string
  /** Hex id of the snapshot to compare with; default the newest of this host and these paths. */
  readonly parent?: string
}

export interface BackupStats {
  readonly files: number
  readonly directories: number
  readonly others: number
  /** Sum of the sizes of all files, in bytes. */
  readonly bytes: number
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnchanged: number
  readonly newBlobs: number
  /** Uncompressed bytes of the blobs that were new. */
  readonly newBytes: number
  /** Bytes of all objects that this run stored. */
  readonly storedBytes: number
  readonly errors: number
}

export interface BackupResult {
  /** Hex id; undefined for a dry run. */
  readonly snapshotId?: string
  readonly parentId?: string
  readonly stats: BackupStats
  readonly issues: readonly Issue[]
  /** All that were named; of a real run at least one is complete. */
  readonly destinations: readonly DestinationOutcome[]
  readonly elapsedMs: number
}

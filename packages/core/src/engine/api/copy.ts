import type { DestinationOutcome } from './destinations.js'
import type { CodecChoice, RawPath, RunOptions } from './run.js'

export interface SnapshotCopyOptions extends RunOptions {
  /** Hex ids; default all. */
  readonly snapshots?: readonly string[]
  /** For what is new in the target. */
  readonly compression: CodecChoice
  readonly cipher: string
  /** What copies, as it is noted in the copies. */
  readonly program: string
  /** Only tell what would be copied: reads no data, and so finds no damage in them. */
  readonly dryRun: boolean
}

/** Why a snapshot cannot be copied whole. */
export interface CopyFault {
  readonly path: RawPath
  readonly message: string
}

/** How one snapshot of the source came off. */
export interface SnapshotCopy {
  readonly sourceId: string
  readonly time: string
  readonly hostname: string
  readonly paths: readonly RawPath[]
  /** `present`: it was there already. `planned`: a dry run would copy it. `damaged`: it was left out. */
  readonly state: 'copied' | 'present' | 'planned' | 'damaged'
  /** Hex id in the target. */
  readonly targetId?: string
  /** What is damaged in the source, at most 100. */
  readonly faults: readonly CopyFault[]
}

export interface SnapshotCopyResult {
  /** All that were asked for, the oldest first. */
  readonly snapshots: readonly SnapshotCopy[]
  /** Snapshots of the source that cannot be read themselves. */
  readonly broken: readonly { readonly key: string; readonly message: string }[]
  readonly stats: {
    /** Of a dry run: what would be read at most. */
    readonly blobsRead: number
    /** Uncompressed. */
    readonly bytesRead: number
    readonly newBlobs: number
    /** Uncompressed bytes of the blobs that were new. */
    readonly newBytes: number
    /** Bytes of all objects that this run stored. */
    readonly storedBytes: number
  }
  /** Those of the target; none when there was nothing to do. */
  readonly destinations: readonly DestinationOutcome[]
  readonly elapsedMs: number
}

import type { Issue, RunOptions } from './run.js'

export type OverwriteMode = 'always' | 'if-changed' | 'never'

export interface RestoreOptions extends RunOptions {
  readonly snapshotId: string
  /** Absolute path inside the snapshot; its content lands directly in the target. Default: everything, with its full path. */
  readonly path?: Uint8Array
  /** Absolute. */
  readonly target: string
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly overwrite: OverwriteMode
  /** Remove what is in the target directories and not in the snapshot. */
  readonly delete: boolean
  readonly dryRun: boolean
  /** Read every restored file back and compare. */
  readonly verify: boolean
  /** Wait until everything is on the disk, not only handed to the system. Always so when the target was not empty. */
  readonly fsync: boolean
}

/** Objects that were read from another destination, because the first could not give them sound. */
export interface FallOver {
  readonly from: string
  readonly to: string
  readonly objects: number
  /** The first of them, and why. */
  readonly message: string
}

export interface RestoreResult {
  readonly files: number
  readonly directories: number
  readonly others: number
  readonly bytes: number
  /** Files that were left as they are by the overwrite mode. */
  readonly skipped: number
  readonly deleted: number
  readonly verified: number
  /** Entries whose data are damaged or missing in the repository; they were not written. */
  readonly damaged: number
  readonly issues: readonly Issue[]
  readonly fallOvers: readonly FallOver[]
  readonly elapsedMs: number
}

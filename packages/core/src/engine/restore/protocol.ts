import type { RepositoryKeys } from '../../format/subkeys.js'
import type { ChunkTableHandle } from '../../repository/chunk-table.js'
import type { CodecDescriptors } from '../../repository/codecs.js'
import type { IssueKind } from '../api.js'

export interface RestoreSetup {
  readonly repositoryId: string
  readonly keys: RepositoryKeys
  readonly table: ChunkTableHandle
  readonly codecs: CodecDescriptors
  readonly target: {
    readonly url: string
    readonly packageName: string
    readonly root: string
    readonly runId: string
  }
}

/** Words of one reference in a pack job: table entry, file, position (low, high). */
export const referenceWords = 4

/** Files that one thread writes, in as few pieces of memory as possible. */
export interface FileBatch {
  /** Paths of directories relative to the target, each ended by NUL. */
  readonly directories: Uint8Array
  /** Encoded tree entries, one after the other. */
  readonly entries: Uint8Array
  /** Per file: number of its directory, and how many references it will get. */
  readonly files: Uint32Array
}

export type ToRestoreWorker =
  | { readonly kind: 'batch'; readonly batch: FileBatch }
  | {
      readonly kind: 'pack'
      readonly load: number
      readonly bytes: Uint8Array
      readonly references: Uint32Array
      /** Whether there is another replica: what is damaged is asked for once more, instead of being lost. */
      readonly mayAskAgain: boolean
    }
  /** The pack cannot be had: all its references are lost. */
  | { readonly kind: 'lost'; readonly message: string; readonly references: Uint32Array }
  | { readonly kind: 'end'; readonly verify: boolean }
  /** The run is over, for better or worse: nothing half written may stay. */
  | { readonly kind: 'close' }

export type FromRestoreWorker =
  /** Some blobs of a pack are damaged, and wanted from another replica; comes before the pack is done. */
  | { readonly kind: 'again'; readonly load: number; readonly references: Uint32Array }
  | { readonly kind: 'packDone'; readonly load: number }
  | { readonly kind: 'issue'; readonly issue: IssueKind; readonly file: number; readonly message: string }
  /** All files of the batch are settled; how many of them were not written. */
  | { readonly kind: 'ended'; readonly failed: number }
  | { readonly kind: 'closed' }

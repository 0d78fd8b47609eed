import type { ByteRange, SourceEntry } from '@bkp/plugin-api'
import type { RepositoryKeys } from '../../format/subkeys.js'
import type { ChunkTableHandle } from '../../repository/chunk-table.js'
import type { CodecDescriptors, ForeignPlugin } from '../../repository/codecs.js'
import type { PackKind } from '../../repository/pack-registry.js'
import type { IssueKind } from '../api.js'
import type { ScanMemorySetup } from './scan-memory.js'

/** All that a backup worker needs; sent once. */
export interface BackupSetup {
  readonly repositoryId: string
  readonly keys: RepositoryKeys
  readonly table: ChunkTableHandle
  readonly codecs: CodecDescriptors
  /** Position in `codecs.compressions` for new blobs. */
  readonly compression: number
  readonly cipherId: string
  /** Whether packs are made in shared memory. */
  readonly sharesPacks: boolean
  readonly source: {
    readonly url: string
    readonly configuration: Readonly<Record<string, unknown>>
    /** Whose it is, where that did not come with bkp. */
    readonly plugin: ForeignPlugin | undefined
  }
  readonly excludes: readonly string[]
  readonly excludeCaches: boolean
  readonly oneFileSystem: boolean
  readonly excludeLargerThanBytes: number | undefined
  readonly force: boolean
  /** Whether what was listed before the run still holds. */
  readonly useListings: boolean
  /** Files whose ctime is not older than this may have changed unseen: seconds since 1970. 0 without a parent. */
  readonly parentTimeSeconds: number
  readonly memory: ScanMemorySetup
}

/** A directory of the source, and where the exclude patterns start to count. */
export interface DirectoryPlace {
  readonly path: Uint8Array
  /** Length of the part of `path` that is the backup's root. */
  readonly rootLength: number
  /** Device of the backup's root, for `oneFileSystem`. */
  readonly rootDevice: bigint
}

export type BackupTask =
  | { readonly kind: 'root'; readonly paths: readonly Uint8Array[]; readonly parentTree: Uint8Array }
  | { readonly kind: 'directory'; readonly place: DirectoryPlace; readonly parentTree: Uint8Array }
  | { readonly kind: 'files'; readonly place: DirectoryPlace; readonly entries: readonly SourceEntry[] }
  | { readonly kind: 'range'; readonly place: DirectoryPlace; readonly entry: SourceEntry; readonly range: ByteRange }

export type BackupTaskResult =
  | { readonly kind: 'tree'; readonly ids: Uint8Array }
  /** The directory could not be opened. */
  | { readonly kind: 'unreadable'; readonly message: string; readonly vanished: boolean }
  /** Encoded tree entries one after the other in the order of the task's entries; none for a file that vanished. */
  | { readonly kind: 'entries'; readonly entries: Uint8Array }
  | {
      readonly kind: 'range'
      readonly ids: Uint8Array
      readonly bytes: number
      readonly changed: boolean
      readonly error: string | undefined
    }

export type ToBackupWorker =
  | { readonly kind: 'task'; readonly task: number; readonly work: BackupTask }
  | { readonly kind: 'result'; readonly task: number; readonly result: BackupTaskResult }
  | { readonly kind: 'pack'; readonly pack: number; readonly bytes: Uint8Array | undefined; readonly message: string }
  /** The memory of a pack that is stored, to be used again. */
  | { readonly kind: 'recycled'; readonly memory: Uint8Array }
  | { readonly kind: 'flush' }

export type FromBackupWorker =
  /** Work given away; its result comes back as `result`. `task` is unique within the worker. */
  | { readonly kind: 'offload'; readonly task: number; readonly work: BackupTask }
  | { readonly kind: 'done'; readonly task: number; readonly result: BackupTaskResult }
  /** All but what was given away is done; `done` follows when the results are there. */
  | { readonly kind: 'suspended'; readonly task: number }
  | { readonly kind: 'fetch'; readonly pack: number }
  | {
      readonly kind: 'stored'
      readonly name: string
      readonly packKind: PackKind
      readonly bytes: Uint8Array
      readonly rows: Uint8Array
      readonly compressionIds: readonly string[]
    }
  | {
      readonly kind: 'issue'
      readonly issue: IssueKind
      readonly path: Uint8Array
      readonly message: string
      readonly isNote: boolean
    }
  | { readonly kind: 'current'; readonly path: Uint8Array }
  /** Everything is handed over; `scans` is what may be remembered for the next run. */
  | { readonly kind: 'flushed'; readonly scans: Uint8Array }

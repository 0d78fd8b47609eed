import type { DirectoryReader, Source } from '@bkp/plugin-api'
import type { BlobReader } from '../../repository/blob-reader.js'
import type { IssueKind } from '../api.js'
import type { SharedState, WorkerCounters } from '../worker/shared-state.js'
import type { BlobWriter } from './blob-writer.js'
import type { Excludes } from './excludes.js'
import type { FileSaver } from './file-saver.js'
import type { BackupSetup, BackupTask, BackupTaskResult } from './protocol.js'
import type { ScanMemory } from './scan-memory.js'

/** What of a source a scan needs. */
export interface ScanDirectory extends Omit<DirectoryReader, 'self'> {
  /** Whether names come in ascending order. */
  readonly isSorted?: boolean
}
export interface ScanSource extends Omit<Source, 'openDirectory'> {
  openDirectory(path: Uint8Array): ScanDirectory | Promise<ScanDirectory>
}

/** A directory that is being scanned, of which other threads can take what lies below. */
export interface SharedDirectory {
  /** Gives the last of its directories away that nobody has begun with. @returns false when there is none */
  give(): boolean
}

/** The result of a scan, or a promise of it when parts of it were given away. */
export type Scan = { readonly now: BackupTaskResult } | { readonly later: Promise<BackupTaskResult> }

/** What the scanning code of one thread works with. */
export interface ScanContext {
  readonly options: BackupSetup
  readonly source: ScanSource
  readonly reader: BlobReader
  readonly writer: BlobWriter
  readonly saver: FileSaver
  readonly excludes: Excludes
  readonly counters: WorkerCounters
  readonly memory: ScanMemory
  readonly shared: SharedState
  /** Whether a second thread is worth its while: it has to compile the same code before it is of use. */
  readonly isWarm: () => boolean
  /** The directories that this thread is in, the outermost first. */
  readonly open: SharedDirectory[]
  /** Gives work to whichever thread is free; resolves with its result. */
  readonly offload: (work: BackupTask) => Promise<BackupTaskResult>
  /** Something that makes the backup incomplete; counted. */
  readonly issue: (kind: IssueKind, path: Uint8Array, message: string) => void
  /** Something worth knowing that is as it should be; not counted. */
  readonly note: (kind: IssueKind, path: Uint8Array, message: string) => void
  readonly current: (path: Uint8Array) => void
  /**
   * Looks after results of what was given away. A scan hardly ever lets the event loop run; what waits for results would
   * pile up until its end.
   */
  readonly takeMessages: () => void
}

import type { Source } from '@bkp/plugin-api'
import type { BlobReader } from '../../repository/blob-reader.js'
import type { IssueKind } from '../api.js'
import type { SharedState, WorkerCounters } from '../worker/shared-state.js'
import type { BlobWriter } from './blob-writer.js'
import type { Excludes } from './excludes.js'
import type { FileSaver } from './file-saver.js'
import type { BackupSetup, BackupTask, BackupTaskResult } from './protocol.js'

/** What the scanning code of one thread works with. */
export interface ScanContext {
  readonly options: BackupSetup
  readonly source: Source
  readonly reader: BlobReader
  readonly writer: BlobWriter
  readonly saver: FileSaver
  readonly excludes: Excludes
  readonly counters: WorkerCounters
  readonly shared: SharedState
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

import type { Secret } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'
import type { NotifierTarget } from '../../config/notifier.js'
import type { BkpError } from '../../errors/index.js'
import type { OnLogLine } from '../../log/plugin-logs.js'
import type { IdleThread } from '../worker/threads.js'
import type { BackupOptions, BackupResult } from './backup.js'
import type { CheckOptions, DestinationCheck } from './check.js'
import type { SnapshotCopyOptions, SnapshotCopyResult } from './copy.js'
import type { CreateRepositoryResult, DestinationStatus, ProbeResult, SyncOptions, SyncResult } from './destinations.js'
import type { MigrateOptions, MigrationResult } from './migration.js'
import type { Notifiers } from './notify.js'
import type { RestoreOptions, RestoreResult } from './restore.js'
import type { RunOptions, Unlock } from './run.js'
import type {
  DiffEntry,
  FindOptions,
  FoundEntry,
  ListedEntry,
  RepositoryStats,
  SnapshotFilter,
  SnapshotSummary,
} from './snapshots.js'

export interface AbsentDestination {
  readonly name: string
  /** Why it cannot be used. */
  readonly message: string
  /** Whether it is there and what it holds is damaged. */
  readonly isDamaged: boolean
}

/** An open repository. */
export interface Repository {
  readonly id: string
  readonly url: string
  /** Destinations that were named and cannot be used. */
  readonly absent: readonly AbsentDestination[]
  snapshots(filter?: SnapshotFilter): Promise<readonly SnapshotSummary[]>
  /**
   * @param reference hex id prefix of at least 4 digits, or `latest`
   * @throws BkpError `not-found` naming what there is; `usage` when the prefix fits several
   */
  resolveSnapshot(reference: string, filter?: SnapshotFilter): Promise<SnapshotSummary>
  backup(options: BackupOptions): Promise<BackupResult>
  list(
    snapshotId: string,
    path: Uint8Array | undefined,
    options: RunOptions & { readonly recursive: boolean },
  ): AsyncIterable<ListedEntry>
  find(options: FindOptions): AsyncIterable<FoundEntry>
  diff(before: string, after: string, options?: RunOptions): AsyncIterable<DiffEntry>
  /** The content of one file, piece by piece. */
  dump(snapshotId: string, path: Uint8Array, options?: RunOptions): AsyncIterable<Uint8Array>
  restore(options: RestoreOptions): Promise<RestoreResult>
  /**
   * Checks every destination by itself, and each against the others.
   * @returns one result for each, those on this machine first
   */
  check(options: CheckOptions): Promise<readonly DestinationCheck[]>
  /**
   * Copies snapshots into another repository of the same engine: sealed anew with its keys, without reading their sources.
   * @throws BkpError `usage` when both are the same repository
   */
  copyTo(target: Repository, options: SnapshotCopyOptions): Promise<SnapshotCopyResult>
  stats(options?: RunOptions): Promise<RepositoryStats>
  /** How every destination is, the absent ones last. */
  status(options?: RunOptions): Promise<readonly DestinationStatus[]>
  close(): Promise<void>
}

export interface DoctorFinding {
  readonly level: 'ok' | 'warning' | 'error'
  readonly subject: string
  readonly message: string
  readonly hint?: string
}

export interface EngineOptions {
  /** Folders of installed plugin packages: their storages and notifiers run in threads of their own, where what they do wrong is contained. */
  readonly pluginDirectories: readonly string[]
  /** Folders of plugin packages that come with bkp, or whatever uses the engine: they run in this thread. A test has checked their manifests. */
  readonly bundledPluginDirectories?: readonly string[]
  /** Where storages find options that nothing else gives, e.g. credentials. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Asks the user a question that is answered by yes or no; absent where nobody can be asked. */
  readonly confirm?: (question: string) => Promise<boolean>
  /** Is told every line that core and plugins log, for those who look for faults. */
  readonly onLogLine?: OnLogLine
  /** Threads for the hot path; default the number of processors, at most 8. */
  readonly workers?: number
  /** How long one call of a plugin that did not come with bkp may take in a thread, in milliseconds; default 10 minutes. */
  readonly pluginCallMs?: number
  /**
   * Is told that a cipher or codec of such a plugin keeps the main thread to itself (for `pluginCallMs`, and a minute at most), in the
   * middle of it: it has to end the process before it returns, since nothing else can be done. Without it nobody looks for that.
   */
  readonly onPluginHeld?: (error: BkpError) => void
  /** Where this machine remembers what checks found; without it nothing is remembered. */
  readonly stateDirectory?: string
  /** Where packs wait for slow destinations, and how much of them; without it a run waits for the slowest. */
  readonly spool?: { readonly directory: string; readonly limitBytes: number }
  /** Absolute path of a folder for what makes runs faster and can be deleted at any time; made when missing. Default: none. */
  readonly cacheDirectory?: string
  /** Gives threads that were started before the engine was loaded, each once; the engine ends what it was given. */
  readonly takeIdleThreads?: () => readonly IdleThread[]
}

export interface OpenOptions {
  /** Start the threads that backup, restore and check need while the passphrase is being checked; saves 0.1 s. */
  readonly startThreads?: boolean
  /** What is going to be backed up: it is listed meanwhile, as far as time allows. */
  readonly readAhead?: Pick<BackupOptions, 'source' | 'paths' | 'excludes' | 'excludeCaches' | 'oneFileSystem'>
  /** Whether the next operation only reads: its index is loaded while the caller finds out which snapshot it is about. */
  readonly loadIndex?: boolean
  /** Ends what is begun for the next operation. */
  readonly signal?: AbortSignal
  /** Whether this machine may keep what makes later runs faster; yes, where nothing is said. */
  readonly useCache?: boolean
}

/** The way in: made by `createEngine` in the composition root. */
export interface Engine {
  /**
   * Creates one repository on all destinations. When some of them fail after the first has it, the outcome says so.
   * @throws BkpError `repository-exists`, before anything is written
   */
  createRepository(destinations: readonly Destination[], passphrase: Secret): Promise<CreateRepositoryResult>
  /**
   * Opens the replicas of one repository. Of several, those that cannot be used are left out and named by `absent`.
   * @throws BkpError `no-repository`, `wrong-passphrase`, `unsupported`, `damaged`; `usage` when they are no replicas of one
   */
  openRepository(destinations: readonly Destination[], unlock: Unlock, options?: OpenOptions): Promise<Repository>
  /** Brings replicas of a repository up from others, by bytes. */
  sync(options: SyncOptions): Promise<SyncResult>
  /**
   * Copies a repository to another place, byte for byte, and proves it. No passphrase is needed. Can be broken off and begun
   * again at any point.
   */
  migrate(options: MigrateOptions): Promise<MigrationResult>
  /**
   * Tries a place with objects of its own, and removes them as far as that is allowed. A place that is missing is not made.
   * @throws BkpError `not-found` where there is none
   */
  probe(destination: Destination, options?: RunOptions): Promise<ProbeResult>
  /** Notifiers, opened when there is something to tell them. To be closed by whoever asked for them. */
  notifiers(targets: readonly NotifierTarget[]): Notifiers
  /** Packages of plugins that did not come with bkp and have run in this thread: what keeps it from ending may be theirs. */
  foreignPlugins(): readonly string[]
  /** Whether native code keeps a thread from ending: `process.exit` would wait for it for ever. */
  hasStuckThreads(): boolean
  /** A text, or all texts in a value, without the secrets that plugins have been given. */
  hideSecrets<T>(value: T): T
  /** Which codecs, ciphers and features work on this machine. */
  doctor(): Promise<readonly DoctorFinding[]>
  /** The first compression of the list that works here, e.g. `zstd`, else `deflate`. */
  availableCompression(preferred: readonly string[]): Promise<string>
  /** To be called when repositories and notifiers are closed: ends the threads in which plugins of others run. */
  close(): Promise<void>
}

/**
 * What every face of bkp (command line, later a server) calls. Nothing here prints, exits or reads argv.
 * A run reports through `onEvent`; everything can be cancelled by `signal`.
 */
import type { Secret } from '@bkp/plugin-api'
import type { Destination } from '../config/destination.js'
import type { SnapshotCopyOptions, SnapshotCopyResult } from './copy/copy-api.js'
import type { IdleThread } from './worker/threads.js'

export type * from './copy/copy-api.js'

/** A byte string that need not be UTF-8. `text` is for people; `bytes` is exact. */
export interface RawPath {
  readonly text: string
  readonly bytes: Uint8Array
}

export interface RunOptions {
  readonly signal?: AbortSignal
  readonly onEvent?: (event: EngineEvent) => void
}

/** What a run tells while it goes on. Counters are totals so far, not differences. */
export type EngineEvent =
  | { readonly kind: 'started'; readonly operation: string }
  | { readonly kind: 'planned'; readonly totalFiles: number; readonly totalBytes: number }
  | {
      readonly kind: 'progress'
      readonly filesDone: number
      readonly bytesDone: number
      /** Bytes written to the storage so far. */
      readonly storedBytes: number
      readonly errors: number
      /** What is being worked on, for people. */
      readonly current?: string
      /** Known once something was `planned`. */
      readonly totalFiles?: number
      readonly totalBytes?: number
    }
  | { readonly kind: 'issue'; readonly issue: Issue }
  /** Where the several destinations of a run are. */
  | { readonly kind: 'destinations'; readonly destinations: readonly DestinationProgress[] }
  /** A destination takes no further part; the run goes on with the others. */
  | { readonly kind: 'destination-lost'; readonly name: string; readonly message: string }
  | { readonly kind: 'note'; readonly message: string }

/** Objects that were read from another destination, because the first could not give them sound. */
export interface FallOver {
  readonly from: string
  readonly to: string
  readonly objects: number
  /** The first of them, and why. */
  readonly message: string
}

export interface DestinationProgress {
  readonly name: string
  /** Bytes that are durable there, of this run. */
  readonly storedBytes: number
  /** Bytes that wait for it on this machine. */
  readonly queuedBytes: number
  readonly isLost: boolean
}

export type IssueKind = 'unreadable' | 'vanished' | 'changed' | 'unsupported' | 'damaged' | 'not-kept'

/** Something that went wrong with one entry and did not end the run. */
export interface Issue {
  readonly kind: IssueKind
  readonly path: RawPath
  readonly message: string
}

export type Unlock =
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | { readonly kind: 'recovery-code'; readonly code: Secret }

/** How one destination of several came off. */
export interface DestinationOutcome {
  readonly name: string
  readonly url: string
  /** `complete`: it has all that it should. `lagging`: it has not; the next run or `bkp sync` brings it up. */
  readonly state: 'complete' | 'lagging'
  /** Bytes that this run stored there, what it lacked from earlier runs included. */
  readonly storedBytes: number
  /** Objects of earlier runs that it lacked and was given. */
  readonly caughtUpObjects: number
  /** Why it lags. */
  readonly message?: string
}

export interface CreateRepositoryResult {
  readonly repositoryId: string
  /** To be shown once and never stored. */
  readonly recoveryCode: Secret
  readonly url: string
  readonly destinations: readonly DestinationOutcome[]
}

export interface CodecChoice {
  readonly id: string
  readonly configuration: Readonly<Record<string, unknown>>
}

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
}

export interface SnapshotFilter {
  readonly hostname?: string
  readonly tag?: string
  readonly path?: string
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

export interface SyncOptions extends RunOptions {
  /** Replicas to read from, the ones that are brought up may be among them. */
  readonly from: readonly Destination[]
  readonly to: readonly Destination[]
  /** Makes replicas of those of `to` where nothing is yet. */
  readonly create: boolean
  /** Only tell what would be copied. */
  readonly dryRun: boolean
}

/** What one destination was given by a sync, or in a dry run what it lacks. */
export interface SyncOutcome {
  readonly name: string
  readonly url: string
  readonly state: 'complete' | 'lagging'
  readonly objects: number
  readonly bytes: number
  /** Why it lags. */
  readonly message?: string
}

export interface SyncResult {
  readonly destinations: readonly SyncOutcome[]
  /** Objects that are not sound at any of the destinations that were read from. */
  readonly damaged: readonly { readonly key: string; readonly message: string }[]
  readonly elapsedMs: number
}

/** What a migration is going to take, found out before anything is written. */
export interface MigrationPlan {
  /** All of the source. */
  readonly objects: number
  readonly bytes: number
  /** What the target does not have yet. */
  readonly objectsToCopy: number
  readonly bytesToCopy: number
  /** Calls at the two providers, what is read back included. */
  readonly requests: {
    readonly listAtSource: number
    readonly readAtSource: number
    readonly listAtTarget: number
    readonly writeAtTarget: number
    readonly readAtTarget: number
  }
  /** From one object that was read at the source; undefined when there is nothing to copy. An upload may well be slower. */
  readonly seconds: number | undefined
}

export interface MigrateOptions extends RunOptions {
  readonly from: Destination
  readonly to: Destination
  /** Read every object back from the target and compare its SHA-256; else count, names and sizes alone are compared. */
  readonly readBack: boolean
  /** Only the plan. */
  readonly dryRun: boolean
  /** Asked before anything is written. */
  readonly confirm: (plan: MigrationPlan) => Promise<boolean>
}

export interface MigrationResult {
  readonly plan: MigrationPlan
  /** `complete`: everything is at the target, and proven as far as asked. `refused`: `confirm` said no. */
  readonly state: 'complete' | 'incomplete' | 'refused' | 'planned'
  readonly copiedObjects: number
  readonly copiedBytes: number
  /** Objects at the target whose name, size and, when read back, SHA-256 are right. */
  readonly verifiedObjects: number
  readonly verifiedBytes: number
  /** Objects that are not sound at the source, or not at the target. */
  readonly faults: readonly { readonly key: string; readonly message: string }[]
  readonly elapsedMs: number
}

/** One thing that a test of a destination tried. */
export interface ProbeStep {
  readonly name: 'open' | 'write' | 'read' | 'ranges' | 'list' | 'create' | 'replace' | 'remove' | 'speed' | 'clock'
  /** `note`: it does not work, and is not needed for backups, e.g. removing with a key that may not. */
  readonly level: 'ok' | 'note' | 'problem'
  readonly message: string
}

export interface ProbeResult {
  readonly steps: readonly ProbeStep[]
  /** Bytes per second, of one object. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
  /** Round trip of a small request. */
  readonly latencyMs?: number
  /** How far the clock of the other side is ahead of this machine's; negative when behind. */
  readonly clockSkewMs?: number
  readonly canRemove: boolean
  readonly canReplace: boolean
  /** Keys of test objects that could not be removed. */
  readonly leftBehind: readonly string[]
}

export interface DestinationStatus {
  readonly name: string
  readonly url: string
  /** Why it cannot be used now; everything below is unknown then. */
  readonly message?: string
  readonly snapshots?: number
  /** ISO 8601. */
  readonly newestSnapshot?: string
  /** Snapshots that other destinations have and this one has not. */
  readonly lagSnapshots?: number
  /** Seconds from this one's newest snapshot to the newest of all. */
  readonly lagSeconds?: number
  readonly objects?: number
  readonly bytes?: number
  /** Objects that other destinations have and this one has not. */
  readonly missingObjects?: number
  readonly missingBytes?: number
  readonly lastCheck?: CheckRecord
}

/** What this machine remembers of the latest check of a destination. */
export interface CheckRecord {
  /** ISO 8601. */
  readonly time: string
  readonly readDataShare: number
  /** What was found and not healed. */
  readonly damages: number
}

export interface HealedObject {
  readonly key: string
  /** What was wrong with it. */
  readonly message: string
  readonly bytes: number
}

/** What a check found at one destination. */
export interface DestinationCheck extends CheckResult {
  readonly name: string
  readonly url: string
  /** Objects that were replaced by those of another destination; they are no damages any more. */
  readonly healed: readonly HealedObject[]
}

export interface CheckOptions extends RunOptions {
  /** 0: structure only; 1: read and verify all data; between: a random share of the packs. */
  readonly readDataShare: number
  /** Replaces what is damaged or missing by what other destinations have. */
  readonly heal: boolean
  /** Destinations that are read from to heal, and are not checked themselves. */
  readonly healFrom?: readonly Destination[]
}

export interface Damage {
  /** Object key, e.g. `packs/ab/abcd…`. */
  readonly key: string
  readonly message: string
  /** Paths that are lost with it, at most 100, as far as known. */
  readonly affects: readonly RawPath[]
  /** Name of another destination that has it sound. */
  readonly intactAt?: string
}

export interface CheckResult {
  readonly snapshots: number
  readonly packs: number
  readonly packsRead: number
  readonly blobs: number
  readonly bytesRead: number
  readonly damages: readonly Damage[]
  /** Objects that no snapshot needs: harmless leftovers of interrupted runs. */
  readonly unreferencedPacks: number
  readonly elapsedMs: number
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

/** An open repository. */
export interface Repository {
  readonly id: string
  readonly url: string
  /** Destinations that were named and cannot be used, with the reason. */
  readonly absent: readonly { readonly name: string; readonly message: string }[]
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
  /** Folders of the plugin packages to load manifests from. */
  readonly pluginDirectories: readonly string[]
  /** Folders of plugin packages that come with bkp, whose manifests a test has checked. */
  readonly bundledPluginDirectories?: readonly string[]
  /** Where storages find options that nothing else gives, e.g. credentials. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Asks the user a question that is answered by yes or no; absent where nobody can be asked. */
  readonly confirm?: (question: string) => Promise<boolean>
  /** Threads for the hot path; default the number of processors, at most 8. */
  readonly workers?: number
  /** Where this machine remembers what checks found; without it nothing is remembered. */
  readonly stateDirectory?: string
  /** Where packs wait for slow destinations, and how much of them; without it a run waits for the slowest. */
  readonly spool?: { readonly directory: string; readonly limitBytes: number }
  /** Gives threads that were started before the engine was loaded, each once; the engine ends what it was given. */
  readonly takeIdleThreads?: () => readonly IdleThread[]
}

export interface OpenOptions {
  /** Start the threads that backup, restore and check need while the passphrase is being checked; saves 0.1 s. */
  readonly startThreads?: boolean
  /** What is going to be backed up: it is listed meanwhile, as far as time allows. */
  readonly readAhead?: Pick<BackupOptions, 'source' | 'paths' | 'excludes' | 'excludeCaches' | 'oneFileSystem'>
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
  /** Tries a place with objects of its own, and removes them as far as that is allowed. */
  probe(destination: Destination, options?: RunOptions): Promise<ProbeResult>
  /** Which codecs, ciphers and features work on this machine. */
  doctor(): Promise<readonly DoctorFinding[]>
  /** The first compression of the list that works here, e.g. `zstd`, else `deflate`. */
  availableCompression(preferred: readonly string[]): Promise<string>
  close(): Promise<void>
}

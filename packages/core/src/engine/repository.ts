import { BkpError, isBkpError } from '../errors/index.js'
import { recordedHint } from '../errors/missing-plugin.js'
import { requireFeatures } from '../format/descriptor.js'
import { fromJsonBytes } from '../format/snapshot.js'
import { filterSnapshots, loadSnapshots, resolveSnapshot, type StoredSnapshot } from '../repository/snapshots.js'
import type {
  BackupOptions,
  BackupResult,
  CheckOptions,
  CodecChoice,
  DestinationCheck,
  DestinationStatus,
  DiffEntry,
  FindOptions,
  FoundEntry,
  ListedEntry,
  Repository,
  RepositoryStats,
  RestoreOptions,
  RestoreResult,
  RunOptions,
  SnapshotCopyOptions,
  SnapshotCopyResult,
  SnapshotFilter,
  SnapshotSummary,
} from './api.js'
import { runBackup } from './backup/run-backup.js'
import { countRepository, dumpFile, findEntries, listEntries } from './browse/browse.js'
import { diffSnapshots } from './browse/diff.js'
import { checkReplicas } from './check/check-replicas.js'
import type { OperationContext } from './context.js'
import { runCopy } from './copy/run-copy.js'
import { statusOf } from './destinations/status.js'
import type { WorkerPort } from './plugin-access.js'
import { runRestore } from './restore/run-restore.js'

/** An open repository; every method is one operation. */
export class EngineRepository implements Repository {
  readonly #context: OperationContext

  constructor(context: OperationContext) {
    this.#context = context
  }

  get id(): string {
    return this.#context.repository.id
  }

  get url(): string {
    return this.#context.repository.url
  }

  get absent(): Repository['absent'] {
    return this.#context.absent.map(({ destination, error }) => ({
      name: destination.name,
      message: error.message,
      isDamaged: isBkpError(error, 'damaged'),
    }))
  }

  async snapshots(filter: SnapshotFilter = {}): Promise<readonly SnapshotSummary[]> {
    return filterSnapshots(await this.#load(), filter).map(summaryOf)
  }

  async resolveSnapshot(reference: string, filter: SnapshotFilter = {}): Promise<SnapshotSummary> {
    return summaryOf(resolveSnapshot(filterSnapshots(await this.#load(), filter), reference))
  }

  async backup(options: BackupOptions): Promise<BackupResult> {
    requireFeatures(this.#context.repository.descriptor, 'write')
    if (options.paths.length === 0) throw new BkpError('usage', 'There is nothing to back up: name at least one path')
    await this.#validate('source', options.source)
    await this.#validateCodecs(options)
    return runBackup(this.#context, options)
  }

  async #validateCodecs({ compression, cipher }: Pick<BackupOptions, 'compression' | 'cipher'>): Promise<void> {
    if (compression.id !== 'none') await this.#validate('compression', compression)
    await this.#validate('encryption', { id: cipher, configuration: {} })
  }

  async #validate(port: WorkerPort, choice: CodecChoice): Promise<void> {
    const { plugins, recorded } = this.#context
    try {
      await plugins.validate(port, choice)
    } catch (error) {
      if (!isBkpError(error, 'missing-plugin')) throw error
      const writtenBy = await recorded.lookUp(port, choice.id)
      if (writtenBy === undefined) throw error
      throw new BkpError('missing-plugin', error.message, { hint: recordedHint(writtenBy), cause: error })
    }
  }

  list(
    snapshotId: string,
    path: Uint8Array | undefined,
    options: RunOptions & { readonly recursive: boolean },
  ): AsyncIterable<ListedEntry> {
    return listEntries(this.#context, snapshotId, path, options)
  }

  find(options: FindOptions): AsyncIterable<FoundEntry> {
    return findEntries(this.#context, options)
  }

  diff(before: string, after: string, options: RunOptions = {}): AsyncIterable<DiffEntry> {
    return diffSnapshots(this.#context, before, after, options)
  }

  dump(snapshotId: string, path: Uint8Array, options: RunOptions = {}): AsyncIterable<Uint8Array> {
    return dumpFile(this.#context, snapshotId, path, options)
  }

  restore(options: RestoreOptions): Promise<RestoreResult> {
    return runRestore(this.#context, options)
  }

  async check(options: CheckOptions): Promise<readonly DestinationCheck[]> {
    requireFeatures(this.#context.repository.descriptor, 'check')
    return checkReplicas(this.#context, options)
  }

  async copyTo(target: Repository, options: SnapshotCopyOptions): Promise<SnapshotCopyResult> {
    if (!(target instanceof EngineRepository)) throw new TypeError('Both repositories must be of this engine')
    requireFeatures(target.#context.repository.descriptor, 'write')
    await target.#validateCodecs(options)
    return runCopy(this.#context, target.#context, options)
  }

  stats(): Promise<RepositoryStats> {
    return countRepository(this.#context)
  }

  status(options: RunOptions = {}): Promise<readonly DestinationStatus[]> {
    return statusOf(this.#context, this.#context.checkRecords, options)
  }

  async close(): Promise<void> {
    await this.#context.reserve.close()
    await this.#context.storage.close()
  }

  #load(): Promise<readonly StoredSnapshot[]> {
    return loadSnapshots(this.#context.repository, this.#context.cipherFor)
  }
}

function summaryOf({ id, snapshot }: StoredSnapshot): SnapshotSummary {
  const { time, hostname, username, program, source, tags, parent, stats } = snapshot
  return {
    id,
    time,
    hostname,
    username,
    program,
    source,
    paths: snapshot.paths.map((path) => ({ text: path.text, bytes: fromJsonBytes(path) })),
    tags,
    parent,
    stats,
    issueCount: stats.errors ?? snapshot.issues.length,
    plugins: snapshot.plugins ?? [],
  }
}

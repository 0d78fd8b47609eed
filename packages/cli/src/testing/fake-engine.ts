import type {
  BackupOptions,
  BackupResult,
  CheckOptions,
  CheckResult,
  CreateRepositoryResult,
  Destination,
  DestinationStatus,
  DiffEntry,
  DoctorFinding,
  Engine,
  FindOptions,
  FoundEntry,
  ListedEntry,
  MigrateOptions,
  MigrationResult,
  NotifierOutcome,
  Notifiers,
  NotifierTarget,
  ProbeResult,
  Repository,
  RepositoryStats,
  RestoreOptions,
  RestoreResult,
  SnapshotCopyOptions,
  SnapshotCopyResult,
  SnapshotFilter,
  SnapshotSummary,
  SyncOptions,
  SyncResult,
  Unlock,
} from '@bkp/core'
import { BkpError } from '@bkp/core'
import { Secret } from '@bkp/plugin-api'
import * as samples from './samples.js'

/** What the fake answers, and what it throws instead. Tests change what they are about. */
export interface FakeAnswers {
  backup: BackupResult
  restore: RestoreResult
  check: CheckResult
  copy: SnapshotCopyResult
  snapshots: readonly SnapshotSummary[]
  entries: readonly ListedEntry[]
  differences: readonly DiffEntry[]
  content: readonly Uint8Array[]
  stats: RepositoryStats
  findings: readonly DoctorFinding[]
  compression: string
  sync: SyncResult
  migration: MigrationResult
  probe: ProbeResult
  status: readonly DestinationStatus[]
  delivery: Pick<NotifierOutcome, 'state' | 'message' | 'hint'>
}

/** An engine with one repository at every URL, open to one passphrase and one recovery code. */
export class FakeEngine implements Engine {
  readonly answers: FakeAnswers = { ...samples.answers }
  /** Thrown by the operation of that name. */
  readonly failures: { [operation: string]: unknown } = {}
  /** Options of the operations that were called, in order. */
  readonly calls: { readonly operation: string; readonly options: unknown }[] = []
  /** Called in the middle of a backup. */
  duringBackup: (options: BackupOptions) => void | Promise<void> = () => undefined
  /** What plugins were given that nobody must see. */
  secret: string | undefined
  openCount = 0
  /** Destinations of the repository that was opened or created last. */
  opened: readonly Destination[] = []

  async createRepository(destinations: readonly Destination[], passphrase: Secret): Promise<CreateRepositoryResult> {
    const url = firstUrl(destinations)
    this.opened = destinations
    this.#note('createRepository', { url, passphrase: passphrase.reveal() })
    return { repositoryId: samples.repositoryId, recoveryCode: new Secret(samples.recoveryCode), url, destinations: [] }
  }

  async openRepository(destinations: readonly Destination[], unlock: Unlock): Promise<Repository> {
    const url = firstUrl(destinations)
    this.opened = destinations
    const unusable = destinations.map((destination) => destination.unusable)
    if (!unusable.includes(undefined)) throw unusable[0]
    const secret = unlock.kind === 'passphrase' ? unlock.passphrase.reveal() : unlock.code.reveal()
    this.#note('openRepository', { url, kind: unlock.kind })
    if (secret !== (unlock.kind === 'passphrase' ? samples.passphrase : samples.recoveryCode)) {
      throw new BkpError('wrong-passphrase', `No key slot of ${url} opens with this passphrase`)
    }
    this.openCount++
    return this.#repository(url)
  }

  async sync(options: SyncOptions): Promise<SyncResult> {
    this.#note('sync', options)
    return this.answers.sync
  }

  async migrate(options: MigrateOptions): Promise<MigrationResult> {
    this.#note('migrate', options)
    const { plan } = this.answers.migration
    if (options.dryRun) return { ...this.answers.migration, state: 'planned' }
    if (!(await options.confirm(plan))) return { ...this.answers.migration, state: 'refused' }
    return this.answers.migration
  }

  async probe(destination: Destination): Promise<ProbeResult> {
    this.#note('probe', destination)
    return this.answers.probe
  }

  async doctor(): Promise<readonly DoctorFinding[]> {
    this.#note('doctor', undefined)
    return this.answers.findings
  }

  async availableCompression(): Promise<string> {
    return this.answers.compression
  }

  notifiers(targets: readonly NotifierTarget[]): Notifiers {
    this.#note('notifiers', targets)
    return {
      tell: async (notification, options) => {
        this.#note('tell', { notification, options })
        return targets
          .filter(({ on }) => on.includes(notification.kind))
          .map(({ name }) => ({ name, kind: notification.kind, elapsedMs: 3, ...this.answers.delivery }))
      },
      close: async () => this.#note('closeNotifiers', undefined),
    }
  }

  foreignPlugins(): readonly string[] {
    return []
  }

  hasStuckThreads(): boolean {
    return false
  }

  hideSecrets<T>(value: T): T {
    if (this.secret === undefined) return value
    return JSON.parse(JSON.stringify(value).replaceAll(this.secret, '[secret]')) as T
  }

  async close(): Promise<void> {
    this.#note('close', undefined)
  }

  #note(operation: string, options: unknown): void {
    this.calls.push({ operation, options })
    if (this.failures[operation] !== undefined) throw this.failures[operation]
  }

  #repository(url: string): Repository {
    const { answers } = this
    const find = (reference: string) => {
      const found = answers.snapshots.find(({ id }) => reference === 'latest' || id.startsWith(reference))
      if (found === undefined) throw new BkpError('not-found', `There is no snapshot ${reference}`)
      return found
    }
    const note = (operation: string, options: unknown) => this.#note(operation, options)
    return {
      id: samples.repositoryId,
      url,
      absent: [],
      snapshots: async (filter?: SnapshotFilter) => {
        note('snapshots', filter)
        return answers.snapshots
      },
      resolveSnapshot: async (reference, filter) => {
        note('resolveSnapshot', { reference, filter })
        return find(reference)
      },
      backup: async (options: BackupOptions) => {
        note('backup', options)
        await this.duringBackup(options)
        options.signal?.throwIfAborted()
        return answers.backup
      },
      list: (snapshotId, path, options) => {
        note('list', { snapshotId, path, recursive: options.recursive })
        return each(answers.entries)
      },
      find: (options: FindOptions): AsyncIterable<FoundEntry> => {
        note('find', options)
        return each(answers.entries.map((entry) => ({ snapshotId: samples.snapshotId, entry })))
      },
      diff: (before, after) => {
        note('diff', { before, after })
        return each(answers.differences)
      },
      dump: (snapshotId, path) => {
        note('dump', { snapshotId, path })
        return each(answers.content)
      },
      restore: async (options: RestoreOptions) => {
        note('restore', options)
        for (const issue of answers.restore.issues) options.onEvent?.({ kind: 'issue', issue })
        return answers.restore
      },
      check: async (options: CheckOptions) => {
        note('check', options)
        return [{ ...answers.check, name: url, url, healed: [] }]
      },
      status: async () => {
        note('status', undefined)
        return answers.status
      },
      copyTo: async (target: Repository, options: SnapshotCopyOptions) => {
        note('copyTo', { target: target.url, ...options })
        return answers.copy
      },
      stats: async () => {
        note('stats', undefined)
        return answers.stats
      },
      close: async () => {
        this.openCount--
      },
    }
  }
}

async function* each<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}

function firstUrl([first]: readonly Destination[]): string {
  if (first === undefined) throw new Error('No destination was given')
  return first.url
}

import { hostname } from 'node:os'
import type { Storage } from '@bkp/plugin-api'
import { objectNameOf } from '../format/ids.js'
import { type ObjectKind, sealObject } from '../format/sealed-object.js'
import { loadingCiphers } from '../repository/cipher-loading.js'
import type { CodecDescriptors, Codecs } from '../repository/codecs.js'
import { LocalCache } from '../repository/local-cache.js'
import type { OpenedRepository } from '../repository/opened-repository.js'
import type { PackRegistry } from '../repository/pack-registry.js'
import type { RecordedPlugins } from '../repository/recorded-plugins.js'
import { type IndexOptions, loadIndex, type RepositoryIndex } from '../repository/repository-index.js'
import type { CodecChoice, EngineOptions } from './api.js'
import { CheckRecords } from './check/check-records.js'
import { PackCache, readInto, readVerifiedInto } from './pack-cache.js'
import { describeCodecs, type PluginAccess } from './plugin-access.js'
import type { FallOverLog } from './replicas/fall-over-log.js'
import type { AbsentReplica, Replica } from './replicas/replica.js'
import type { PoolParts } from './worker/pool.js'
import type { ThreadReserve } from './worker/threads.js'

export interface OperationParts {
  readonly repository: OpenedRepository
  /** Those that take part, the ones on this machine first. */
  readonly replicas: readonly Replica[]
  readonly absent: readonly AbsentReplica[]
  readonly fallOvers: FallOverLog
  readonly spool: EngineOptions['spool']
  readonly stateDirectory: string | undefined
  readonly cacheDirectory: string | undefined
  readonly plugins: PluginAccess
  readonly threads: number
  readonly reserve: ThreadReserve
  readonly callLimitMs: number
  /** Ciphers for the small objects that the main thread reads itself. */
  readonly codecs: Codecs
  readonly recorded: RecordedPlugins
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What every operation on an open repository works with. */
export class OperationContext {
  readonly repository: OpenedRepository
  readonly replicas: readonly Replica[]
  readonly absent: readonly AbsentReplica[]
  readonly fallOvers: FallOverLog
  readonly spool: EngineOptions['spool']
  readonly stateDirectory: string | undefined
  readonly cacheDirectory: string | undefined
  readonly plugins: PluginAccess
  readonly threads: number
  readonly reserve: ThreadReserve
  readonly callLimitMs: number
  readonly now: () => number
  /** Name of this machine, to tell our own dead sessions from those of others. */
  readonly hostname = hostname()
  readonly codecs: Codecs
  /** Who has what is missing. */
  readonly recorded: RecordedPlugins
  #ahead: Promise<RepositoryIndex> | undefined

  constructor(parts: OperationParts) {
    const { repository, codecs, recorded } = parts
    this.repository = { ...repository, storage: loadingCiphers(repository.storage, codecs, recorded) }
    this.replicas = parts.replicas
    this.absent = parts.absent
    this.fallOvers = parts.fallOvers
    this.spool = parts.spool
    this.stateDirectory = parts.stateDirectory
    this.cacheDirectory = parts.cacheDirectory
    this.plugins = parts.plugins
    this.threads = parts.threads
    this.reserve = parts.reserve
    this.callLimitMs = parts.callLimitMs
    this.now = parts.now
    this.codecs = codecs
    this.recorded = recorded
  }

  /** Whether there is another destination to read from when one fails. */
  get isReplicated(): boolean {
    return this.replicas.length > 1
  }

  /** Whether every destination takes bytes in shared memory, which need not be copied for threads of plugins. */
  get sharesPacks(): boolean {
    return this.replicas.every(({ storage }) => storage.capabilities.sharedMemory === true)
  }

  /** What this machine remembers of checks, where it does. */
  get checkRecords(): CheckRecords | undefined {
    return this.stateDirectory === undefined ? undefined : new CheckRecords(this.stateDirectory)
  }

  /** What makes runs faster; nothing may depend on it. */
  get cache(): LocalCache | undefined {
    const { cacheDirectory, now } = this
    return cacheDirectory === undefined ? undefined : new LocalCache(cacheDirectory, this.repository.id, now)
  }

  /** What threads are started with. */
  get poolParts(): PoolParts {
    const { reserve, callLimitMs } = this
    return { reserve, callLimitMs, logOf: this.plugins.logOf }
  }

  /** All replicas as one. */
  get storage(): Storage {
    return this.repository.storage
  }

  /** The same repository as one of its replicas has it. */
  only(replica: Replica): OperationContext {
    const { url } = replica.destination
    const repository = { ...this.repository, url, storage: replica.storage }
    return new OperationContext({ ...this, repository, replicas: [replica], absent: [] })
  }

  /** The same repository as it is read by another way. */
  readBy(storage: Storage): OperationContext {
    return new OperationContext({ ...this, repository: { ...this.repository, storage } })
  }

  /** Whole packs of this repository, the latest used up to a budget in bytes. */
  packCache(packs: PackRegistry, budgetBytes: number): PackCache {
    return new PackCache(this.storage, packs, budgetBytes, this.isReplicated ? readVerifiedInto : readInto)
  }

  /** For threads. @param compressions of the index @param chosen to write with */
  describeCodecs(compressions: readonly string[], chosen?: CodecChoice): CodecDescriptors {
    const foreignCiphers = this.codecs.foreignInUse
    const described = describeCodecs(this.plugins, compressions, {
      foreignCiphers,
      writtenBy: (port, id) => this.recorded.known(port, id),
      ...(chosen === undefined ? {} : { chosen }),
    })
    // Threads use what the main thread has met, and load nothing else.
    return { compressions: described.compressions, ciphers: described.ciphers }
  }

  readonly cipherFor = (id: string) => this.codecs.cipher(id)

  /** Begins to load the index for the next operation that only reads, while its caller finds out which snapshot it is about. */
  loadIndexAhead(signal: AbortSignal | undefined): void {
    this.#ahead = this.loadIndex(signal === undefined ? {} : { signal })
    // Told to the operation, if there is one.
    this.#ahead.catch(() => undefined)
  }

  /** @param options by default, for those who only read */
  async loadIndex(options: Partial<IndexOptions>): Promise<RepositoryIndex> {
    const wanted = { room: 0, condemned: 'unread', ...options } as const
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined && wanted.room === 0 && wanted.condemned === 'unread') return ahead
    const index = await loadIndex(this.repository, this.cipherFor, wanted)
    const there = ['none', ...this.plugins.idsOf('compression')]
    // Descriptors for threads are made in one go, so that it has to be known by then.
    for (const id of index.compressions) if (!there.includes(id)) await this.recorded.lookUp('compression', id)
    return index
  }

  /** Seals a small object for this repository. */
  seal(
    kind: Exclude<ObjectKind, 'data-pack' | 'metadata-pack'>,
    payload: Uint8Array,
    cipherId: string,
  ): { readonly name: string; readonly bytes: Uint8Array } {
    const bytes = sealObject(kind, this.repository.id, this.repository.keys.metadata, this.cipherFor(cipherId), payload)
    return { name: objectNameOf(bytes), bytes }
  }
}

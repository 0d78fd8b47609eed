import { hostname } from 'node:os'
import type { Storage } from '@bkp/plugin-api'
import { objectNameOf } from '../format/ids.js'
import { type ObjectKind, sealObject } from '../format/sealed-object.js'
import { Codecs } from '../repository/codecs.js'
import type { OpenedRepository } from '../repository/opened-repository.js'
import { loadIndex, type RepositoryIndex } from '../repository/repository-index.js'
import { describeCodecs, type PluginAccess } from './plugin-access.js'
import type { ThreadReserve } from './worker/threads.js'

/** What every operation on an open repository works with. */
export class OperationContext {
  readonly repository: OpenedRepository
  readonly plugins: PluginAccess
  readonly threads: number
  readonly reserve: ThreadReserve
  readonly now: () => number
  /** Name of this machine, to tell our own dead sessions from those of others. */
  readonly hostname = hostname()
  /** Ciphers for the small objects that the main thread reads itself. */
  readonly codecs: Codecs

  private constructor(
    repository: OpenedRepository,
    plugins: PluginAccess,
    threads: number,
    reserve: ThreadReserve,
    now: () => number,
    codecs: Codecs,
  ) {
    this.repository = repository
    this.plugins = plugins
    this.threads = threads
    this.reserve = reserve
    this.now = now
    this.codecs = codecs
  }

  static async create(
    repository: OpenedRepository,
    plugins: PluginAccess,
    threads: number,
    reserve: ThreadReserve,
    now: () => number,
  ): Promise<OperationContext> {
    const codecs = await Codecs.load(describeCodecs(plugins, ['none']))
    return new OperationContext(repository, plugins, threads, reserve, now, codecs)
  }

  get storage(): Storage {
    return this.repository.storage
  }

  readonly cipherFor = (id: string) => this.codecs.cipher(id)

  loadIndex(options: {
    readonly room?: number
    readonly ignoreCondemned?: boolean
    readonly signal?: AbortSignal
  }): Promise<RepositoryIndex> {
    const { room = 0, ignoreCondemned = false, signal } = options
    return loadIndex(this.repository, this.cipherFor, {
      room,
      ignoreCondemned,
      ...(signal === undefined ? {} : { signal }),
    })
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

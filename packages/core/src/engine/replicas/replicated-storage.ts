import {
  type CallOptions,
  type GetOptions,
  isPortError,
  PortError,
  type PutOptions,
  type Storage,
  type StorageCapabilities,
  type StoredObject,
} from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { asError, type Replica } from './replica.js'

/** Told when something was read from another replica than the first; `key` is what it was about. */
export type FellOver = (from: Replica, to: Replica, key: string, reason: Error) => void

/**
 * `of-any`: of those that answer, which is as much as can be known. `of-all`: none may be missing, for where what one of them
 * has must not be overlooked; what they have in several sizes is listed with each of them.
 */
export type Lists = 'of-any' | 'of-all'

/** Whoever answers so will not answer better in this run. */
const isGone = (error: unknown) =>
  isBkpError(error, 'plugin-failed') ||
  (['offline', 'transient', 'throttled', 'auth', 'forbidden', 'config', 'quota'] as const).some((code) =>
    isPortError(error, code),
  )

/**
 * The replicas of a repository as one storage: reads from the first that has it sound, lists what any of them has, and
 * writes to all. A replica that cannot be reached any more is asked last.
 */
export class ReplicatedStorage implements Storage {
  readonly capabilities: StorageCapabilities
  readonly #replicas: readonly Replica[]
  readonly #onFellOver: FellOver
  readonly #lists: Lists
  /** Replicas that failed in a way that does not pass while a command runs. */
  readonly #unreliable = new Set<Replica>()

  /** @param replicas at least one; those that are read fastest come first */
  constructor(replicas: readonly Replica[], onFellOver: FellOver, lists: Lists = 'of-any') {
    this.#replicas = replicas
    this.#onFellOver = onFellOver
    this.#lists = lists
    const all = replicas.map(({ storage }) => storage.capabilities)
    this.capabilities = {
      conditionalCreate: all.every(({ conditionalCreate }) => conditionalCreate),
      listing: all.every(({ listing }) => listing === 'strong') ? 'strong' : 'eventual',
      canRemove: all.some(({ canRemove }) => canRemove),
      maxObjectBytes: Math.min(...all.map(({ maxObjectBytes }) => maxObjectBytes)),
      concurrency: Math.max(...all.map(({ concurrency }) => concurrency)),
      isLocal: all[0]?.isLocal === true,
      objectLock: all.every(({ objectLock }) => objectLock),
      sharedMemory: all.every(({ sharedMemory }) => sharedMemory === true),
    }
  }

  /** Resolves when at least one replica has it; those that refuse take no further part. */
  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    const writers = this.#replicas.filter(({ failure }) => failure === undefined)
    const results = await Promise.allSettled(writers.map(({ storage }) => storage.put(key, data, options)))
    options.signal?.throwIfAborted()
    const failures = results.flatMap((result) => (result.status === 'rejected' ? [asError(result.reason)] : []))
    if (failures.length === writers.length) throw failures[0] ?? noneLeft(key)
    for (const [n, result] of results.entries())
      if (result.status === 'rejected') writers[n]?.giveUp(asError(result.reason))
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#fromAny(key, options, ({ storage }) => storage.get(key, options))
  }

  stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return this.#fromAny(key, options, ({ storage }) => storage.stat(key, options))
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const reliable = this.#replicas.filter((replica) => this.#isReliable(replica))
    // Whoever is dead is waited for once, not for every list; but a list of all is a list of all.
    const asked = this.#lists === 'of-all' || reliable.length === 0 ? this.#replicas : reliable
    const found = await this.#listsOf(asked, prefix, options)
    const given = new Set<string>()
    for (const object of found.flat()) {
      const id = this.#lists === 'of-all' ? `${object.key} ${object.sizeBytes}` : object.key
      if (given.has(id)) continue
      given.add(id)
      yield object
    }
  }

  /** Removes it from all that may; a replica that may not keeps it, and so does one that fails while others do it. */
  async remove(key: string, options: CallOptions = {}): Promise<void> {
    const able = this.#replicas.filter(
      ({ failure, storage }) => failure === undefined && storage.capabilities.canRemove,
    )
    if (able.length === 0) throw new PortError('unsupported', `None of the destinations can remove ${key}`)
    const results = await Promise.allSettled(able.map(({ storage }) => storage.remove(key, options)))
    options.signal?.throwIfAborted()
    const failed = results.filter((result) => result.status === 'rejected')
    if (failed.length === able.length) throw failed[0]?.reason
  }

  async close(): Promise<void> {
    await Promise.all(this.#replicas.map(({ storage }) => storage.close()))
  }

  /** Of those that can list. @throws what the first says, when none can */
  async #listsOf(asked: readonly Replica[], prefix: string, options: CallOptions): Promise<StoredObject[][]> {
    const lists = await Promise.allSettled(asked.map((replica) => this.#listOf(replica, prefix, options)))
    options.signal?.throwIfAborted()
    const sound = asked.find((_, n) => lists[n]?.status === 'fulfilled')
    for (const [n, list] of lists.entries()) {
      if (list.status === 'fulfilled') continue
      if (sound === undefined || this.#lists === 'of-all') throw list.reason
      this.#onFellOver(asked[n] as Replica, sound, prefix, asError(list.reason))
    }
    return lists.flatMap((list) => (list.status === 'fulfilled' ? [list.value] : []))
  }

  async #listOf(replica: Replica, prefix: string, options: CallOptions): Promise<StoredObject[]> {
    const objects: StoredObject[] = []
    try {
      for await (const object of replica.storage.list(prefix, options)) objects.push(object)
    } catch (error) {
      if (isGone(error)) this.#unreliable.add(replica)
      throw error
    }
    return objects
  }

  async #fromAny<T>(key: string, { signal }: CallOptions, read: (replica: Replica) => Promise<T>): Promise<T> {
    let first: { readonly replica: Replica; readonly error: Error } | undefined
    for (const replica of this.#inOrder()) {
      try {
        const result = await read(replica)
        if (first !== undefined) this.#onFellOver(first.replica, replica, key, first.error)
        return result
      } catch (cause) {
        signal?.throwIfAborted()
        if (!isPortError(cause) && !isBkpError(cause, 'plugin-failed')) throw cause
        if (isGone(cause)) this.#unreliable.add(replica)
        first ??= { replica, error: cause }
      }
    }
    throw first?.error ?? noneLeft(key)
  }

  #inOrder(): readonly Replica[] {
    const isReliable = (replica: Replica) => this.#isReliable(replica)
    if (this.#replicas.every(isReliable)) return this.#replicas
    return [...this.#replicas.filter(isReliable), ...this.#replicas.filter((replica) => !isReliable(replica))]
  }

  #isReliable(replica: Replica): boolean {
    return replica.failure === undefined && !this.#unreliable.has(replica)
  }
}

function noneLeft(key: string): PortError {
  return new PortError('offline', `No destination is left that could be asked for ${key}`)
}

import type { Storage } from '@bkp/plugin-api'
import type { EngineEvent } from '../api.js'
import { lostEvent, type Replica } from './replica.js'
import { ReplicaWriter, transfersFor } from './replica-writer.js'
import type { Spool } from './spool.js'

export interface FanOutOptions {
  readonly replicas: readonly Replica[]
  readonly spool: Spool | undefined
  readonly signal: AbortSignal
  readonly onEvent: ((event: EngineEvent) => void) | undefined
}

/** What a run writes, to all destinations at once. Each goes at its own pace; one that fails takes no further part. */
export class FanOut {
  readonly writers: readonly ReplicaWriter[]
  readonly #options: FanOutOptions
  /** One on this machine: what it has need not be kept anywhere else for slower ones. */
  readonly #nearest: ReplicaWriter | undefined
  readonly #failed = new Set<Replica>()

  constructor(options: FanOutOptions) {
    this.#options = options
    const nearest = options.replicas.find(({ isReadBack }) => isReadBack)
    const transfers = transfersFor(options.replicas.length - (nearest === undefined ? 0 : 1))
    this.writers = options.replicas.map((replica) => {
      const onStored = () => this.#tell()
      // What the nearest has taken must be durable there: others read it from there.
      const spool = replica === nearest ? undefined : options.spool
      return new ReplicaWriter(replica, { spool, transfers, signal: options.signal, onStored })
    })
    this.#nearest = this.writers.find(({ replica }) => replica === nearest)
  }

  /**
   * Resolves when the memory of `bytes` is not needed any more.
   * @throws the first failure, when no destination is left
   */
  async pack(name: string, bytes: Uint8Array): Promise<void> {
    const nearest = this.#nearest?.pack(name, bytes)
    const elsewhere = nearest === undefined ? undefined : this.#readableFrom(nearest)
    const others = this.writers.filter((writer) => writer !== this.#nearest)
    await Promise.all([nearest, ...others.map((writer) => writer.pack(name, bytes, elsewhere))])
    this.#requireOne()
  }

  /** Stores an object on each destination after all that was given before. */
  putAfter(key: string, bytes: Uint8Array): void {
    for (const writer of this.writers) writer.putAfter(key, bytes)
  }

  /**
   * Resolves when every destination has all that it was given, or takes no part any more.
   * @throws the first failure, when no destination is left
   */
  async settled(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.settled()))
    this.#requireOne()
  }

  // In the case of failure the pack was not stored there.
  async #readableFrom(storing: Promise<void>): Promise<Storage | undefined> {
    await storing
    const replica = this.#nearest?.replica
    return replica?.failure === undefined ? replica?.storage : undefined
  }

  #requireOne(): void {
    for (const { replica } of this.writers) {
      if (replica.failure === undefined || this.#failed.has(replica)) continue
      this.#failed.add(replica)
      if (this.writers.length === 1 || this.#options.signal.aborted) continue
      this.#options.onEvent?.(lostEvent(replica.name, replica.failure))
    }
    if (this.#failed.size < this.writers.length) return
    this.#options.signal.throwIfAborted()
    throw this.writers[0]?.replica.failure ?? new Error('There is no destination')
  }

  #tell(): void {
    // Of one destination the run's own progress says it all.
    if (this.writers.length < 2) return
    const destinations = this.writers.map(({ replica, storedBytes, queuedBytes }) => ({
      name: replica.name,
      storedBytes,
      queuedBytes,
      isLost: replica.failure !== undefined,
    }))
    this.#options.onEvent?.({ kind: 'destinations', destinations })
  }
}

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { shownPlace } from '../../config/destination.js'
import { BkpError } from '../../errors/index.js'
import { loadCondemned, type RepositoryIndex } from '../../repository/repository-index.js'
import type { BackupOptions, DestinationOutcome } from '../api.js'
import type { OperationContext } from '../context.js'
import type { MissingObject } from '../replicas/copy-missing.js'
import { FanOut } from '../replicas/fan-out.js'
import { catchUp, type Lag } from '../replicas/lag.js'
import { lostEvent, type Replica } from '../replicas/replica.js'
import { Spool } from '../replicas/spool.js'
import { type FilledPack, PackStore } from './pack-store.js'

export type DeliveryOptions = Pick<BackupOptions, 'cipher' | 'dryRun' | 'onEvent'>

export interface NamedObject {
  readonly key: string
  readonly bytes: Uint8Array
}

export interface DeliveryParts {
  readonly index: RepositoryIndex
  /** What destinations lack of earlier runs: they are given it beside what is new. */
  readonly lags: readonly Lag[]
  readonly stored: { bytes: number; hasBegun: boolean }
  readonly signal: AbortSignal
}

/**
 * Brings what a run makes to all destinations, each in the order packs, index, snapshot. A destination gets the snapshot only
 * when it has everything that the snapshot needs, what it lacked from earlier runs included.
 */
export class Delivery {
  readonly #context: OperationContext
  readonly #options: DeliveryOptions
  readonly #parts: DeliveryParts
  readonly #fanOut: FanOut
  readonly #spool: Spool | undefined
  readonly #store: PackStore
  readonly #caughtUp = new Map<Replica, number>()

  constructor(context: OperationContext, options: DeliveryOptions, parts: DeliveryParts) {
    this.#context = context
    this.#options = options
    this.#parts = parts
    const { spool, replicas } = context
    const taking = replicas.filter(({ failure }) => failure === undefined)
    if (taking.length === 0) throw replicas[0]?.failure ?? new Error('There is no destination')
    // Whoever has one destination has nobody to wait for it.
    if (spool !== undefined && context.isReplicated)
      this.#spool = new Spool({ ...spool, directory: join(spool.directory, randomUUID()) })
    for (const { name, failure } of replicas) if (failure !== undefined) options.onEvent?.(lostEvent(name, failure))
    if (taking.length === 0) throw replicas[0]?.failure ?? new Error('There is no destination')
    this.#fanOut = new FanOut({
      replicas: taking,
      spool: this.#spool,
      signal: parts.signal,
      onEvent: options.onEvent,
    })
    this.#store = new PackStore({
      sink: this.#fanOut,
      sealIndex: (payload) => context.seal('index', payload, options.cipher).bytes,
      onStored: (bytes) => (parts.stored.bytes += bytes),
      now: context.now,
    })
    for (const lag of parts.lags) {
      const writer = this.#fanOut.writers.find(({ replica }) => replica === lag.replica)
      const { signal } = writer ?? parts
      const onCopied = ({ sizeBytes }: MissingObject) => writer?.noteStored(sizeBytes)
      writer?.afterwards(async () => {
        this.#caughtUp.set(lag.replica, await catchUp(lag, taking, { signal, onCopied }))
      })
    }
  }

  /** Resolves when the memory of the pack may be used again. */
  async pack(pack: FilledPack): Promise<void> {
    this.#parts.stored.hasBegun = true
    if (this.#options.dryRun) this.#parts.stored.bytes += pack.bytes.length
    else await this.#store.put(pack)
  }

  /**
   * Has all packs and the index of them on their way.
   * @returns names of the index segments
   */
  finishPacks(): Promise<readonly string[]> {
    return this.#store.finish()
  }

  /**
   * Stores snapshots in their order, wherever all is there that they need. With none it waits until all destinations have
   * what they were given.
   * @returns how all destinations came off, those that took part first
   * @throws the first failure, when none has them
   */
  async commit(...snapshots: readonly NamedObject[]): Promise<readonly DestinationOutcome[]> {
    if (snapshots.length > 0) {
      for (const writer of this.#fanOut.writers) {
        writer.afterwards((replica) => this.#refuseCondemned(replica))
        // Written last: a snapshot must never name a pack that is not stored and indexed.
        for (const { key, bytes } of snapshots) writer.putAfter(key, bytes)
      }
    }
    await this.#fanOut.settled()
    return this.#outcomes()
  }

  async close(): Promise<void> {
    await this.#spool?.close()
  }

  /** A pack that prune condemned meanwhile may be gone soon; a snapshot must not rely on it. */
  async #refuseCondemned({ storage }: Replica): Promise<void> {
    const { repository, cipherFor } = this.#context
    const { index } = this.#parts
    const condemned = await loadCondemned({ ...repository, storage }, cipherFor)
    for (const name of condemned) {
      if (index.condemned.has(name) || !index.packs.has(name)) continue
      throw new BkpError(
        'storage',
        'Packs that this run relied on were condemned by prune while it ran; no snapshot was made',
        { hint: 'Run the same command again: it stores what was condemned anew' },
      )
    }
  }

  #outcomes(): DestinationOutcome[] {
    const present = this.#context.replicas.map((replica): DestinationOutcome => {
      const place = shownPlace(replica.destination)
      const storedBytes = this.#fanOut.writers.find((writer) => writer.replica === replica)?.storedBytes ?? 0
      const common = { ...place, storedBytes, caughtUpObjects: this.#caughtUp.get(replica) ?? 0 }
      if (replica.failure === undefined) return { ...common, state: 'complete' }
      return { ...common, state: 'lagging', message: replica.failure.message }
    })
    const absent = this.#context.absent.map(({ destination, error }): DestinationOutcome => {
      return {
        ...shownPlace(destination),
        state: 'lagging',
        storedBytes: 0,
        caughtUpObjects: 0,
        message: error.message,
      }
    })
    return [...present, ...absent]
  }
}

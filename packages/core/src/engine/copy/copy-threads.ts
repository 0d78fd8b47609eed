import { isBkpError } from '../../errors/index.js'
import { mayBeUsedAgain } from '../../memory-in-doubt.js'
import { numberOf, type RepositoryIndex } from '../../repository/repository-index.js'
import { transferOf } from '../../transfer.js'
import { abortError } from '../abort.js'
import type { SnapshotCopyOptions } from '../api.js'
import type { FilledPack } from '../backup/pack-store.js'
import type { OperationContext } from '../context.js'
import type { PackCache } from '../pack-cache.js'
import { foreignIn } from '../plugin-access.js'
import { WorkerPool } from '../worker/pool.js'
import type { Counters } from '../worker/shared-state.js'
import type { IdMap } from './id-map.js'
import { PackLoader } from './pack-loader.js'
import { groupByPack, type PackWork } from './pack-work.js'
import type { BlobFault, CopySetup, CopySide, FromCopyWorker, ToCopyWorker } from './protocol.js'

/** Packs in memory at a time beside the one that each thread works on. */
const packsAhead = 2

export interface OpenSide {
  readonly context: OperationContext
  readonly index: RepositoryIndex
}

export interface CopyThreadsOptions extends Pick<SnapshotCopyOptions, 'compression' | 'cipher'> {
  readonly source: OpenSide
  readonly target: OpenSide
  readonly map: IdMap
  /** The source's metadata packs. */
  readonly structurePacks: PackCache
  readonly storePack: (pack: FilledPack) => Promise<void>
  readonly signal: AbortSignal
}

/** The threads of a copy, the packs of the source on their way to them, and those for the target on their way back. */
export class CopyThreads {
  readonly #options: CopyThreadsOptions
  readonly #pool: WorkerPool<CopySetup, ToCopyWorker, FromCopyWorker>
  readonly #loader: PackLoader
  readonly #failure: Promise<never>
  readonly #onAbort: () => void
  readonly #storing = new Set<Promise<void>>()
  /** Blobs that each thread has been given and has not done. */
  readonly #load: number[]
  readonly #waiting = new Map<number, (faults: readonly BlobFault[]) => void>()
  #loads = 0
  #structured: (fault: BlobFault | undefined) => void = () => undefined
  #flushed = 0
  #allFlushed: () => void = () => undefined
  readonly #fail: (error: unknown) => void

  constructor(options: CopyThreadsOptions) {
    this.#options = options
    const { source, target, signal } = options
    this.#loader = new PackLoader(source.context, source.index)
    this.#load = new Array<number>(target.context.threads).fill(0)
    let fail: (error: unknown) => void = () => undefined
    this.#failure = new Promise((_, reject) => (fail = reject))
    this.#failure.catch(() => undefined)
    this.#fail = fail
    // Enters it into the list that the threads are given.
    const compression = numberOf(target.index.compressions, options.compression.id)
    const [from, to] = [sideOf(source, undefined), sideOf(target, options.compression)]
    this.#pool = new WorkerPool({
      role: 'copy',
      ...target.context.poolParts,
      threads: target.context.threads,
      onDemand: true,
      foreign: foreignIn(from.codecs, to.codecs),
      setup: {
        source: from,
        target: to,
        compression,
        cipherId: options.cipher,
        sharesPacks: target.context.sharesPacks,
        map: options.map.memory,
      },
      onFailure: fail,
      onMessage: (thread, message) => this.#take(thread, message),
    })
    this.#onAbort = () => fail(abortError(signal))
    signal.addEventListener('abort', this.#onAbort, { once: true })
    if (signal.aborted) this.#onAbort()
  }

  /** What all threads have done so far: blobs as `files`, their bytes as `bytes`. */
  totals(): Counters {
    return this.#pool.shared.totals()
  }

  /**
   * Copies data blobs of the source, each of its packs read once.
   * @returns those that are damaged there
   */
  async copyData(entries: Uint32Array): Promise<readonly BlobFault[]> {
    const { table, packs } = this.#options.source.index
    const works = groupByPack(entries, table, packs.count)
    const faults: BlobFault[] = []
    const feed = async (): Promise<void> => {
      for (let next = works.next(); !next.done; next = works.next()) {
        // One by one: as many as a pack has blobs may be too many arguments for a call.
        for (const fault of await this.#copyPack(next.value)) faults.push(fault)
      }
    }
    const feeding = Array.from({ length: this.#pool.threads + packsAhead }, feed)
    await Promise.race([Promise.all(feeding), this.#failure])
    return faults
  }

  /**
   * Rewrites trees and lists, in one thread: what names another needs the id that it gets.
   * @returns the first that is damaged
   */
  async copyStructure(rows: Uint32Array): Promise<BlobFault | undefined> {
    const done = new Promise<BlobFault | undefined>((resolve) => (this.#structured = resolve))
    this.#pool.send(0, { kind: 'structure', rows })
    return Promise.race([done, this.#failure])
  }

  /** Hands all packs over that hold something; resolves when their memory may be used again. */
  async flush(): Promise<void> {
    this.#flushed = 0
    const flushing = new Promise<void>((resolve) => (this.#allFlushed = resolve))
    this.#pool.broadcast({ kind: 'flush' })
    await Promise.race([flushing, this.#failure])
    await Promise.race([Promise.all(this.#storing), this.#failure])
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#onAbort)
    await this.#pool.close()
  }

  async #copyPack(work: PackWork): Promise<readonly BlobFault[]> {
    const faults = await this.#tryPack(work, () => this.#loader.load(work))
    if (faults.length === 0 || !this.#options.source.context.isReplicated) return faults
    // Another destination of the source may have it sound.
    const entries = Uint32Array.from(faults, ({ entry }) => entry)
    return this.#tryPack({ ...work, entries }, () => this.#loader.loadVerified(work.pack))
  }

  async #tryPack({ entries }: PackWork, load: () => Promise<Uint8Array>): Promise<readonly BlobFault[]> {
    let bytes: Uint8Array
    try {
      bytes = await load()
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      return Array.from(entries, (entry) => ({ entry, message: error.message }))
    }
    const number = ++this.#loads
    const thread = this.#leastBusy()
    const amount = entries.length
    this.#load[thread] = (this.#load[thread] as number) + amount
    const done = new Promise<readonly BlobFault[]>((resolve) => this.#waiting.set(number, resolve))
    this.#pool.send(thread, { kind: 'data', load: number, bytes, entries })
    const faults = await done
    this.#waiting.delete(number)
    this.#load[thread] = (this.#load[thread] as number) - amount
    this.#loader.release(bytes)
    return faults
  }

  #take(thread: number, message: FromCopyWorker): void {
    if (message.kind === 'data-done') this.#waiting.get(message.load)?.(message.faults)
    else if (message.kind === 'structure-done') this.#structured(message.fault)
    else if (message.kind === 'stored') this.#store(thread, { ...message, kind: message.packKind })
    else if (message.kind === 'fetch') void this.#fetch(thread, message.pack)
    else if (++this.#flushed === this.#pool.started) this.#allFlushed()
  }

  #store(thread: number, pack: FilledPack): void {
    const storing: Promise<void> = this.#options.storePack(pack).then(() => {
      this.#pool.shared.leavePack()
      const memory = new Uint8Array(pack.bytes.buffer)
      if (mayBeUsedAgain(memory.buffer)) this.#pool.send(thread, { kind: 'recycled', memory }, transferOf(memory))
      this.#storing.delete(storing)
    })
    this.#storing.add(storing)
    storing.catch(this.#fail)
  }

  async #fetch(thread: number, pack: number): Promise<void> {
    try {
      const bytes = await this.#options.structurePacks.get(pack)
      this.#pool.send(thread, { kind: 'pack', pack, bytes, message: '' })
    } catch (error) {
      if (!isBkpError(error, 'damaged')) this.#fail(error)
      else this.#pool.send(thread, { kind: 'pack', pack, bytes: undefined, message: error.message })
    }
  }

  #leastBusy(): number {
    let best = 0
    for (let thread = 1; thread < this.#load.length; thread++)
      if ((this.#load[thread] as number) < (this.#load[best] as number)) best = thread
    return best
  }
}

function sideOf({ context, index }: OpenSide, chosen: SnapshotCopyOptions['compression'] | undefined): CopySide {
  return {
    repositoryId: context.repository.id,
    keys: context.repository.keys,
    table: index.table.handle,
    codecs: context.describeCodecs(index.compressions, chosen),
  }
}

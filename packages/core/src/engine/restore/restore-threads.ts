import { setTimeout } from 'node:timers/promises'
import { packKey } from '../../format/ids.js'
import { packCapacityBytes } from '../../format/pack.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { SpareMemory } from '../../spare-memory.js'
import { abortError } from '../abort.js'
import type { RestoreOptions } from '../api.js'
import type { OperationContext } from '../context.js'
import { filled, isLost, readVerifiedInto } from '../pack-cache.js'
import { readSpans } from '../pack-spans.js'
import { foreignIn } from '../plugin-access.js'
import { WorkerPool } from '../worker/pool.js'
import type { FromRestoreWorker, RestoreSetup, ToRestoreWorker } from './protocol.js'
import type { PackWork, PathIssue, RestorePlan } from './restore-plan.js'

/** Packs in memory at a time beside the one that each thread works on. */
const packsAhead = 2
const progressEveryMs = 100
const closeWithinMs = 10_000

/** The threads of a restore, and the packs on their way to them. */
export class RestoreThreads {
  readonly #context: OperationContext
  readonly #index: RepositoryIndex
  readonly #options: RestoreOptions
  readonly #pool: WorkerPool<RestoreSetup, ToRestoreWorker, FromRestoreWorker>
  readonly #failure: Promise<never>
  readonly #fail: (error: unknown) => void
  readonly #timer: NodeJS.Timeout
  readonly #onAbort: () => void
  #inFlight = 0
  #wake: () => void = () => undefined
  /** Packs that threads work on, by the number of the load: two batches may need the same pack. */
  readonly #openPacks = new Map<number, { takers: number; readonly pack: number; readonly bytes: Uint8Array }>()
  /** Packs that are being read once more, because blobs in them were damaged. */
  #asking = 0
  /** Memory of packs that are done. */
  readonly #spare = new SpareMemory((bytes) => new SharedArrayBuffer(Math.max(bytes, packCapacityBytes)))
  #loads = 0
  /** Per thread what it has not ended yet. */
  readonly #plans: RestorePlan[][]
  readonly #onIssue: (issue: PathIssue) => void
  #onSettled: () => void = () => undefined
  #onClosed: () => void = () => undefined
  #lost = 0
  #failed = 0

  static async start(
    context: OperationContext,
    index: RepositoryIndex,
    options: RestoreOptions,
    target: RestoreSetup['target'],
    onIssue: (issue: PathIssue) => void,
  ): Promise<RestoreThreads> {
    const threads = new RestoreThreads(context, index, options, target, onIssue)
    await Promise.race([threads.#pool.ready(), threads.#failure])
    return threads
  }

  private constructor(
    context: OperationContext,
    index: RepositoryIndex,
    options: RestoreOptions,
    target: RestoreSetup['target'],
    onIssue: (issue: PathIssue) => void,
  ) {
    this.#onIssue = onIssue
    this.#plans = Array.from({ length: context.threads }, () => [])
    this.#context = context
    this.#index = index
    this.#options = options
    let fail: (error: unknown) => void = () => undefined
    this.#failure = new Promise((_, reject) => {
      fail = reject
    })
    this.#failure.catch(() => undefined)
    this.#fail = (error) => fail(error)
    const { repository } = context
    const codecs = context.describeCodecs(index.compressions)
    this.#pool = new WorkerPool({
      role: 'restore',
      ...context.poolParts,
      threads: context.threads,
      foreign: foreignIn(codecs),
      speaker: target.packageName,
      setup: {
        repositoryId: repository.id,
        keys: repository.keys,
        table: index.table.handle,
        codecs,
        target,
      },
      onFailure: fail,
      onMessage: (thread, message) => this.#take(thread, message),
    })
    this.#onAbort = () => fail(abortError(options.signal))
    options.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#timer = setInterval(() => {
      const { files, bytes, errors } = this.#pool.shared.totals()
      options.onEvent?.({ kind: 'progress', filesDone: files, bytesDone: bytes, storedBytes: 0, errors })
    }, progressEveryMs)
  }

  totals(): { readonly verified: number; readonly damaged: number } {
    const { verified, damaged } = this.#pool.shared.totals()
    return { verified, damaged: damaged + this.#lost }
  }

  /** Sends the threads all that a plan has; resolves when they have it, which is before they have written it. */
  async send(plan: RestorePlan): Promise<void> {
    const { count, issues } = plan.lost
    this.#lost += count
    this.#failed += count
    for (const issue of issues) this.#onIssue(issue)
    for (let thread = 0; thread < this.#pool.threads; thread++) {
      this.#plans[thread]?.push(plan)
      this.#pool.send(thread, { kind: 'batch', batch: plan.batchOf(thread) })
    }
    await Promise.race([this.#sendPacks(plan), this.#failure])
    // With another replica, what is damaged comes once more: it belongs to this batch.
    if (this.#context.isReplicated) await Promise.race([this.#packsDone(), this.#failure])
    this.#pool.broadcast({ kind: 'end', verify: this.#options.verify })
  }

  /**
   * Resolves when all that was sent is settled.
   * @returns how many files were not written
   */
  async settle(): Promise<number> {
    const settled = new Promise<void>((resolve) => {
      this.#onSettled = resolve
    })
    if (this.#isBusy()) await Promise.race([settled, this.#failure])
    return this.#failed
  }

  #isBusy(): boolean {
    return this.#plans.some((plans) => plans.length > 0)
  }

  /** A thread works through its batches in order, so that what it says is about the first that it has not ended. */
  #take(thread: number, message: FromRestoreWorker): void {
    const plans = this.#plans[thread] as RestorePlan[]
    if (message.kind === 'packDone') this.#leave(message.load)
    else if (message.kind === 'again') this.#sendAgain(thread, message.load, message.references)
    else if (message.kind === 'issue') {
      const path = (plans[0] as RestorePlan).pathOf(thread, message.file)
      this.#onIssue({ kind: message.issue, path, message: message.message })
    } else if (message.kind === 'ended') {
      this.#failed += message.failed
      plans.shift()
      if (!this.#isBusy()) this.#onSettled()
    } else this.#onClosed()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    await this.#closeTargets()
    await this.#pool.close()
  }

  /** Has every thread remove what it has half written. One that hangs must not keep the run from its end. */
  async #closeTargets(): Promise<void> {
    let closed = 0
    const closing = new Promise<void>((resolve) => {
      this.#onClosed = () => {
        if (++closed === this.#pool.threads) resolve()
      }
    })
    this.#pool.broadcast({ kind: 'close' })
    const patience = new AbortController()
    await Promise.race([closing, setTimeout(closeWithinMs, undefined, { signal: patience.signal })])
    patience.abort()
  }

  async #sendPacks(plan: RestorePlan): Promise<void> {
    const sending = new Set<Promise<void>>()
    for (const work of plan.packs()) {
      while (this.#inFlight >= this.#pool.threads + packsAhead) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
      }
      this.#inFlight++
      const sent: Promise<void> = this.#sendPack(work).finally(() => sending.delete(sent))
      sending.add(sent)
      // A failed fetch must end the run, not wait for the last one.
      sent.catch(() => this.#wake())
    }
    await Promise.all(sending)
  }

  async #sendPack(work: PackWork): Promise<void> {
    const takers = work.references
      .map((references, thread) => ({ references, thread }))
      .filter(({ references }) => references.length > 0)
    let bytes: Uint8Array
    try {
      bytes = await this.#fetch(work)
    } catch (error) {
      if (!isLost(error)) throw error
      const message = `the pack ${this.#index.packs.nameOf(work.pack)} that holds its content cannot be read: ${error.message}`
      for (const { references, thread } of takers) this.#pool.send(thread, { kind: 'lost', message, references })
      this.#release()
      return
    }
    const load = ++this.#loads
    this.#openPacks.set(load, { takers: takers.length, pack: work.pack, bytes })
    const mayAskAgain = this.#context.isReplicated
    for (const { references, thread } of takers)
      this.#pool.send(thread, { kind: 'pack', load, bytes, references, mayAskAgain })
  }

  /** Reads a pack whole, so that a damaged one is told by its SHA-256 and another replica is asked. */
  #sendAgain(thread: number, damagedLoad: number, references: Uint32Array): void {
    const pack = (this.#openPacks.get(damagedLoad) as { readonly pack: number }).pack
    const { packs } = this.#index
    const key = packKey(packs.nameOf(pack))
    const bytes = this.#spare.take(packs.sizeOf(pack))
    this.#asking++
    this.#inFlight++
    const read = readVerifiedInto(this.#context.storage, key, 0, bytes).then(
      () => {
        const load = ++this.#loads
        this.#openPacks.set(load, { takers: 1, pack, bytes })
        this.#pool.send(thread, { kind: 'pack', load, bytes, references, mayAskAgain: false })
      },
      (error: unknown) => {
        if (!isLost(error)) throw error
        const message = `part of its content is damaged in the repository: ${error.message}`
        this.#pool.send(thread, { kind: 'lost', message, references })
        this.#release()
      },
    )
    read.catch(this.#fail).finally(() => {
      this.#asking--
      this.#wake()
    })
  }

  async #packsDone(): Promise<void> {
    while (this.#openPacks.size > 0 || this.#asking > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** The needed parts of a pack at their places, in shared memory. */
  #fetch({ pack, spans }: PackWork): Promise<Uint8Array> {
    const { storage } = this.#context
    const { packs } = this.#index
    const key = packKey(packs.nameOf(pack))
    const size = packs.sizeOf(pack)
    return filled(
      () => this.#spare.take(size),
      (into) => readSpans(storage, key, spans, into),
    )
  }

  /** A pack is done when every thread that got it says so. */
  #leave(load: number): void {
    const open = this.#openPacks.get(load)
    if (open === undefined) throw new RangeError(`The pack of load ${load} is not being restored`)
    open.takers--
    if (open.takers > 0) return
    this.#openPacks.delete(load)
    this.#spare.giveBack(open.bytes.buffer as SharedArrayBuffer)
    this.#release()
  }

  #release(): void {
    this.#inFlight--
    this.#wake()
  }
}

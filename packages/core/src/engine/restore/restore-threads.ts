import { setTimeout } from 'node:timers/promises'
import { packKey } from '../../format/ids.js'
import { packCapacityBytes } from '../../format/pack.js'
import { headerBytes } from '../../format/sealed-object.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { abortError } from '../abort.js'
import type { RestoreOptions } from '../api.js'
import type { OperationContext } from '../context.js'
import { isLost, readInto } from '../pack-cache.js'
import { describeCodecs } from '../plugin-access.js'
import { WorkerPool } from '../worker/pool.js'
import type { FromRestoreWorker, RestoreSetup, ToRestoreWorker } from './protocol.js'
import type { PackWork, PathIssue, RestorePlan } from './restore-plan.js'

/** Packs in memory at a time. */
const packsInFlight = 3
const progressEveryMs = 100
const closeWithinMs = 10_000

/** The threads of a restore, and the packs on their way to them. */
export class RestoreThreads {
  readonly #context: OperationContext
  readonly #index: RepositoryIndex
  readonly #options: RestoreOptions
  readonly #pool: WorkerPool<RestoreSetup, ToRestoreWorker, FromRestoreWorker>
  readonly #failure: Promise<never>
  readonly #timer: NodeJS.Timeout
  readonly #onAbort: () => void
  #inFlight = 0
  #wake: () => void = () => undefined
  /** Packs that threads work on. */
  readonly #openPacks = new Map<number, { takers: number; readonly bytes: Uint8Array }>()
  /** Memory of packs that are done. */
  readonly #free: SharedArrayBuffer[] = []
  #onMessage: (thread: number, message: FromRestoreWorker) => void = () => undefined

  static async start(
    context: OperationContext,
    index: RepositoryIndex,
    options: RestoreOptions,
    target: RestoreSetup['target'],
  ): Promise<RestoreThreads> {
    const threads = new RestoreThreads(context, index, options, target)
    await Promise.race([threads.#pool.ready(), threads.#failure])
    return threads
  }

  private constructor(
    context: OperationContext,
    index: RepositoryIndex,
    options: RestoreOptions,
    target: RestoreSetup['target'],
  ) {
    this.#context = context
    this.#index = index
    this.#options = options
    let fail: (error: unknown) => void = () => undefined
    this.#failure = new Promise((_, reject) => {
      fail = reject
    })
    this.#failure.catch(() => undefined)
    const { repository } = context
    this.#pool = new WorkerPool({
      role: 'restore',
      reserve: context.reserve,
      threads: context.threads,
      setup: {
        repositoryId: repository.id,
        keys: repository.keys,
        table: index.table.handle,
        codecs: describeCodecs(context.plugins, index.compressions),
        target,
      },
      onFailure: fail,
      onMessage: (thread, message) => this.#onMessage(thread, message),
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

  #lost = 0

  /** Writes all files of a plan. */
  async run(plan: RestorePlan): Promise<{ readonly failed: number; readonly issues: readonly PathIssue[] }> {
    const issues: PathIssue[] = [...plan.lost.issues]
    this.#lost += plan.lost.count
    let ended = 0
    let failed = 0
    let allEnded: () => void = () => undefined
    const ending = new Promise<void>((resolve) => {
      allEnded = resolve
    })
    this.#onMessage = (thread, message) => {
      if (message.kind === 'packDone') this.#leave(message.pack)
      else if (message.kind === 'issue')
        issues.push({ kind: message.issue, path: plan.pathOf(thread, message.file), message: message.message })
      else if (message.kind === 'ended') {
        failed += message.failed.length
        if (++ended === this.#pool.threads) allEnded()
      }
    }
    for (let thread = 0; thread < this.#pool.threads; thread++)
      this.#pool.send(thread, { kind: 'batch', batch: plan.batchOf(thread) })
    await Promise.race([this.#sendPacks(plan), this.#failure])
    this.#pool.broadcast({ kind: 'end', verify: this.#options.verify })
    await Promise.race([ending, this.#failure])
    return { failed, issues }
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
      this.#onMessage = (_, message) => {
        if (message.kind === 'closed' && ++closed === this.#pool.threads) resolve()
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
      while (this.#inFlight >= packsInFlight) {
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
    this.#openPacks.set(work.pack, { takers: takers.length, bytes })
    for (const { references, thread } of takers)
      this.#pool.send(thread, { kind: 'pack', pack: work.pack, bytes, references })
  }

  /** The needed parts of a pack at their places, in shared memory. */
  async #fetch({ pack, ranges }: PackWork): Promise<Uint8Array> {
    const { storage } = this.#context
    const { packs } = this.#index
    const key = packKey(packs.nameOf(pack))
    const size = packs.sizeOf(pack)
    const shared = this.#memory(size)
    const needed = ranges.reduce((sum, range) => sum + range.length, 0)
    const parts = needed > size / 2 ? [{ offset: 0, length: size }] : [{ offset: 0, length: headerBytes }, ...ranges]
    for (const { offset, length } of parts)
      await readInto(storage, key, offset, shared.subarray(offset, offset + length))
    return shared
  }

  /** Used again, since memory of this size would pile up between two garbage collections. */
  #memory(size: number): Uint8Array {
    const free = this.#free.findIndex((buffer) => buffer.byteLength >= size)
    const [buffer] = free < 0 ? [] : this.#free.splice(free, 1)
    return new Uint8Array(buffer ?? new SharedArrayBuffer(Math.max(size, packCapacityBytes)), 0, size)
  }

  /** A pack is done when every thread that got it says so. */
  #leave(pack: number): void {
    const open = this.#openPacks.get(pack)
    if (open === undefined) throw new RangeError(`Pack ${pack} is not being restored`)
    open.takers--
    if (open.takers > 0) return
    this.#openPacks.delete(pack)
    this.#free.push(open.bytes.buffer as SharedArrayBuffer)
    this.#release()
  }

  #release(): void {
    this.#inFlight--
    this.#wake()
  }
}

import { MessageChannel, type MessagePort, SHARE_ENV, Worker } from 'node:worker_threads'
import { compiledUrl } from '../../files/compiled-url.js'
import { letEnd } from '../../stuck-threads.js'
import type { ReadAheadOrder } from '../backup/read-ahead.js'

/** The order of a thread that is not needed. */
export const endOrder = 'end'
const stackMiB = 32
/** What was listed longer ago is listed again. */
const staleAfterMs = 10_000

/** What a thread is started with; what it becomes is told later, through the port. */
export interface ThreadStart {
  readonly orders: MessagePort
  /** URLs of modules that it is going to need. */
  readonly preload: readonly string[]
}

/** What a thread may be told to do before it is told what it is. */
export interface EarlyOrder {
  readonly kind: 'read-ahead'
  readonly readAhead: ReadAheadOrder
}

/** A worker thread that has loaded its code and waits to be told what it is. Does not keep the process alive. */
export class IdleThread {
  readonly #worker: Worker
  readonly #orders: MessagePort
  readonly #early: { readonly event: 'message' | 'error' | 'exit'; readonly value: unknown }[] = []

  /** @param preload URLs of modules that the thread is going to need */
  constructor(preload: readonly string[]) {
    const { port1, port2 } = new MessageChannel()
    const start: ThreadStart = { orders: port2, preload }
    this.#orders = port1
    this.#worker = new Worker(compiledUrl(import.meta.url, 'main.js'), {
      workerData: start,
      transferList: [port2],
      // Not a copy: secrets are taken out of the environment after the first threads have started.
      env: SHARE_ENV,
      // Else what a plugin prints in it would go to our own.
      stdout: true,
      resourceLimits: { stackSizeMb: stackMiB },
    })
    for (const event of ['message', 'error', 'exit'] as const)
      this.#worker.on(event, (value: unknown) => this.#early.push({ event, value }))
    this.#worker.unref()
    this.#orders.unref()
  }

  /** Lists what is going to be scanned, until the thread is told what it is. */
  readAhead(readAhead: ReadAheadOrder): void {
    const order: EarlyOrder = { kind: 'read-ahead', readAhead }
    this.#orders.postMessage(order)
  }

  /**
   * @param order what the thread becomes
   * @param listen attaches the listeners; what happened before is told to them
   */
  take(order: unknown, listen: (worker: Worker) => void): Worker {
    const worker = this.#worker
    for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event)
    worker.ref()
    listen(worker)
    for (const { event, value } of this.#early) worker.emit(event, value)
    this.#orders.postMessage(order)
    this.#orders.close()
    return worker
  }

  async end(): Promise<void> {
    if (this.#early.some(({ event }) => event === 'exit')) return
    await letEnd(this.#worker, () => this.#orders.postMessage(endOrder))
    this.#orders.close()
  }
}

/** Threads that were started before there was work for them, while a passphrase is checked and an index is read. */
export class ThreadReserve {
  readonly #startedAt: number
  #isReadingAhead: boolean
  readonly #preload: readonly string[]
  readonly #idle: IdleThread[]

  /**
   * @param idle threads that are there already
   * @param threads how many there shall be at least
   * @param startedAt now, in milliseconds since 1970
   * @param readAhead what the first of the threads lists until it is taken
   */
  constructor(
    idle: readonly IdleThread[],
    threads: number,
    preload: readonly string[],
    startedAt: number,
    readAhead?: ReadAheadOrder,
  ) {
    this.#startedAt = startedAt
    this.#preload = preload
    this.#idle = [...idle]
    while (this.#idle.length < threads) this.#idle.push(new IdleThread(preload))
    const [first] = this.#idle
    this.#isReadingAhead = first !== undefined && readAhead !== undefined
    if (readAhead !== undefined) first?.readAhead(readAhead)
  }

  /** Since when directories have been listed: milliseconds since 1970. Told once, and not when it is too long ago. */
  listedSince(now: number): number | undefined {
    const isFresh = this.#isReadingAhead && now - this.#startedAt < staleAfterMs
    this.#isReadingAhead = false
    return isFresh ? this.#startedAt : undefined
  }

  /** A thread that is ready, or a new one when there is none left. */
  take(): IdleThread {
    return this.#idle.shift() ?? new IdleThread(this.#preload)
  }

  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((thread) => thread.end()))
  }
}

import { once } from 'node:events'
import { setTimeout } from 'node:timers/promises'
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads'
import type { ReadAheadOrder } from '../backup/read-ahead.js'

/** The first order of a thread that is not needed. */
export const endOrder = 'end'
export const endsWithinMs = 5_000
const stackMiB = 32
/** What was listed longer ago is listed again. */
const staleAfterMs = 10_000

/** What a thread is started with; what it becomes is told later, through the port. */
export interface ThreadStart {
  readonly orders: MessagePort
  /** URLs of modules that it is going to need. */
  readonly preload: readonly string[]
  readonly readAhead: ReadAheadOrder | undefined
}

/** A worker thread that has loaded its code and waits to be told what it is. Does not keep the process alive. */
export class IdleThread {
  readonly #worker: Worker
  readonly #orders: MessagePort
  readonly #early: { readonly event: 'message' | 'error' | 'exit'; readonly value: unknown }[] = []

  constructor(preload: readonly string[], readAhead?: ReadAheadOrder) {
    const { port1, port2 } = new MessageChannel()
    const start: ThreadStart = { orders: port2, preload, readAhead }
    this.#orders = port1
    this.#worker = new Worker(workerUrl(), {
      workerData: start,
      transferList: [port2],
      resourceLimits: { stackSizeMb: stackMiB },
    })
    for (const event of ['message', 'error', 'exit'] as const)
      this.#worker.on(event, (value: unknown) => this.#early.push({ event, value }))
    this.#worker.unref()
    this.#orders.unref()
  }

  /**
   * @param order the first message that the thread gets
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

  /** Lets the thread end by itself: to stop one that is loading native code can bring the whole process down. */
  async end(): Promise<void> {
    if (this.#early.some(({ event }) => event === 'exit')) return
    this.#worker.ref()
    this.#orders.postMessage(endOrder)
    const ended = once(this.#worker, 'exit')
    await Promise.race([ended, setTimeout(endsWithinMs, undefined, { ref: false })])
    this.#orders.close()
    await this.#worker.terminate()
  }
}

/** Threads that were started before there was work for them, while a passphrase is checked and an index is read. */
export class ThreadReserve {
  readonly #startedAt: number
  #isReadingAhead: boolean
  readonly #preload: readonly string[]
  readonly #idle: IdleThread[]

  /**
   * @param startedAt now, in milliseconds since 1970
   * @param readAhead what the first of the threads lists until it is taken
   */
  constructor(threads: number, preload: readonly string[], startedAt: number, readAhead?: ReadAheadOrder) {
    this.#startedAt = startedAt
    this.#isReadingAhead = threads > 0 && readAhead !== undefined
    this.#preload = preload
    this.#idle = Array.from(
      { length: threads },
      (_, thread) => new IdleThread(preload, thread === 0 ? readAhead : undefined),
    )
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

// Run from the sources (by tests), the compiled worker is used: threads cannot load TypeScript.
function workerUrl(): URL {
  const here = import.meta.url
  return here.endsWith('.ts') ? new URL('../../../dist/engine/worker/main.js', here) : new URL('./main.js', here)
}

import { setTimeout } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { BkpError } from '../../errors/index.js'
import type { LogMessage } from '../../log/plugin-logs.js'
import type { ForeignPlugin } from '../../repository/codecs.js'
import { receiveError, type SentError } from '../../sent-error.js'
import { endsWithinMs, endThreads } from '../../stuck-threads.js'
import { keepInterruptible } from '../../v8-flags.js'
import type { PluginAccess } from '../plugin-access.js'
import { withBlame } from './blame.js'
import { CallWatch } from './call-watch.js'
import { SharedState, type SharedStateHandle } from './shared-state.js'
import type { ThreadReserve } from './threads.js'

/** Node ends a thread with it that has nothing left to do, and whose modules still wait. */
const unsettledExitCode = 13

/** What every worker is told at its start; `role` decides the rest. */
export interface WorkerStart<Setup> {
  readonly role: 'backup' | 'restore' | 'check' | 'copy'
  readonly index: number
  readonly shared: SharedStateHandle
  readonly setup: Setup
  /** What did not come with bkp, and where to say what it does. */
  readonly foreign: { readonly plugins: readonly ForeignPlugin[]; readonly calls: SharedArrayBuffer } | undefined
}

/** What every worker says besides the messages of its role. */
export type CommonMessage =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: SentError }
  | LogMessage

/** What every pool of a repository is started with. */
export interface PoolParts {
  readonly reserve: ThreadReserve
  readonly logOf: PluginAccess['logOf']
  /** How long a call of a plugin that did not come with bkp may take. */
  readonly callLimitMs: number
}

export interface PoolOptions<Setup, FromWorker> extends PoolParts {
  readonly role: WorkerStart<Setup>['role']
  readonly threads: number
  /** Start all threads but the first when something is sent to them. */
  readonly onDemand?: boolean
  readonly setup: Setup
  /** Plugins that did not come with bkp and run in the threads. */
  readonly foreign: readonly ForeignPlugin[]
  readonly onMessage: (thread: number, message: FromWorker) => void
  /** The package of the source or the target that the threads use. */
  readonly speaker?: string
  /** The first failure of any worker; the pool is of no use after it. */
  readonly onFailure: (error: Error) => void
}

function endOf(code: number): string {
  return code === unsettledExitCode ? 'waited for a promise that nobody settles' : `ended by itself with code ${code}`
}

/** Threads of one role. The main thread talks to each by number. */
export class WorkerPool<Setup, ToWorker, FromWorker extends { readonly kind: string }> {
  readonly shared: SharedState
  readonly threads: number
  readonly #options: PoolOptions<Setup, FromWorker>
  readonly #workers: (Worker | undefined)[]
  readonly #ready: Promise<void>[] = []
  readonly #watch: CallWatch | undefined
  /** By thread: ends the run with an error. */
  readonly #fails: ((error: Error) => void)[] = []
  #closing = false
  #hasPrinted = false

  constructor(options: PoolOptions<Setup, FromWorker>) {
    this.threads = options.threads
    this.shared = SharedState.create(options.threads)
    this.#options = options
    this.#workers = new Array<Worker | undefined>(options.threads).fill(undefined)
    options.logOf().debug(`${options.role}: up to ${options.threads} threads`, {
      pluginsOfOthers: options.foreign.map(({ packageName }) => packageName),
    })
    const { threads, foreign, callLimitMs } = options
    if (foreign.length > 0) {
      keepInterruptible()
      this.#watch = new CallWatch(threads, foreign, callLimitMs, (thread, error) => this.#fails[thread]?.(error))
    }
    const atOnce = options.onDemand === true ? 1 : options.threads
    for (let thread = 0; thread < atOnce; thread++) this.#start(thread)
  }

  /** How many threads there are by now. */
  get started(): number {
    return this.#ready.length
  }

  #start(index: number): Worker {
    const { role, setup, reserve, foreign, speaker, logOf, onMessage, onFailure } = this.#options
    const calls = this.#watch?.memory
    const watched = calls === undefined ? undefined : { plugins: foreign, calls }
    const start: WorkerStart<Setup> = { role, index, shared: this.shared.handle, setup, foreign: watched }
    let settle: (() => void) | undefined
    this.#ready.push(new Promise((resolve) => (settle = resolve)))
    const fail = (error: Error) => {
      settle?.()
      if (!this.#closing) onFailure(withBlame(error, foreign))
    }
    this.#fails[index] = fail
    const started = reserve.take().take(start, (worker) => {
      worker.on('message', (message: FromWorker | CommonMessage) => {
        if (message.kind === 'ready') settle?.()
        else if (message.kind === 'failed') fail(receiveError((message as { error: SentError }).error))
        else if (message.kind === 'log') {
          const { level, message: text, details } = message as LogMessage
          logOf(speaker)[level](text, details)
        } else onMessage(index, message as FromWorker)
      })
      // Not to our own standard output, where results stand.
      worker.stdout.on('data', (text: Buffer) => this.#tellPrinted(text.toString().trim()))
      worker.on('error', fail)
      worker.on('exit', (code) => fail(new BkpError('internal', `Worker thread ${index} ${endOf(code)}`)))
    })
    this.#workers[index] = started
    return started
  }

  /** People are told once that a plugin prints, the rest is for those who look for faults. */
  #tellPrinted(text: string): void {
    const { foreign, logOf } = this.#options
    const names = foreign.map(({ packageName }) => packageName)
    const log = logOf(names.length === 1 ? names[0] : undefined)
    log[this.#hasPrinted ? 'debug' : 'warn'](`${names.join(' or ') || 'A thread'} printed: ${text}`)
    this.#hasPrinted = true
  }

  /** Resolves when all threads have loaded their modules, or one failed. */
  async ready(): Promise<void> {
    await Promise.all(this.#ready)
  }

  send(thread: number, message: ToWorker, transfer: readonly ArrayBuffer[] = []): void {
    const worker = this.#workers[thread] ?? this.#start(thread)
    worker.postMessage(message, [...transfer])
  }

  /** To all threads that have been started. */
  broadcast(message: ToWorker): void {
    for (const worker of this.#workers) worker?.postMessage(message)
  }

  async close(): Promise<void> {
    this.#closing = true
    this.#watch?.close()
    this.shared.stop()
    // To stop a thread that is loading native code can bring the whole process down.
    await Promise.race([this.ready(), setTimeout(endsWithinMs, undefined, { ref: false })])
    await endThreads(this.#workers.filter((worker) => worker !== undefined))
  }
}

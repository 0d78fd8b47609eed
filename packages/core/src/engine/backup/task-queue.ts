import type { SharedState } from '../worker/shared-state.js'
import type { BackupTask, BackupTaskResult } from './protocol.js'

/** Tasks that a thread may have at a time: one to do and one so that it need not wait for the next. */
const tasksPerThread = 2

interface Origin {
  /** Thread that gave the task away; undefined for the root of all. */
  readonly thread: number | undefined
  readonly task: number
}

interface Queued {
  readonly origin: Origin
  readonly work: BackupTask
}

interface Running extends Origin {
  readonly worker: number
  isActive: boolean
}

export interface TaskQueueOptions {
  readonly threads: number
  readonly shared: SharedState
  readonly assign: (thread: number, task: number, work: BackupTask) => void
  readonly deliver: (thread: number, task: number, result: BackupTaskResult) => void
}

/**
 * Hands tasks to threads, the newest first so that what is half done stays small, and results back to the thread that
 * gave the task away. It knows nothing of trees.
 */
export class TaskQueue {
  readonly #options: TaskQueueOptions
  readonly #queue: Queued[] = []
  readonly #running = new Map<number, Running>()
  readonly #busy: number[]
  #next = 1
  #finish: ((result: BackupTaskResult) => void) | undefined

  constructor(options: TaskQueueOptions) {
    this.#options = options
    this.#busy = new Array<number>(options.threads).fill(0)
  }

  /** Runs one task and all that comes of it. */
  run(work: BackupTask): Promise<BackupTaskResult> {
    return new Promise((resolve) => {
      this.#finish = resolve
      this.#queue.push({ origin: { thread: undefined, task: 0 }, work })
      this.#dispatch()
    })
  }

  add(thread: number, task: number, work: BackupTask): void {
    this.#queue.push({ origin: { thread, task }, work })
    this.#dispatch()
  }

  /** The thread has done what it can do of a task for now: it waits for the results of what it gave away. */
  suspend(task: number): void {
    this.#release(this.#taken(task))
    this.#dispatch()
  }

  done(task: number, result: BackupTaskResult): void {
    const running = this.#taken(task)
    this.#running.delete(task)
    this.#release(running)
    if (running.thread === undefined) this.#finish?.(result)
    else this.#options.deliver(running.thread, running.task, result)
    this.#dispatch()
  }

  #taken(task: number): Running {
    const running = this.#running.get(task)
    if (running === undefined) throw new RangeError(`Task ${task} is not running`)
    return running
  }

  #release(running: Running): void {
    if (!running.isActive) return
    running.isActive = false
    this.#busy[running.worker] = (this.#busy[running.worker] as number) - 1
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const worker = this.#leastBusy()
      if (worker === undefined) break
      const next = this.#queue.pop() as Queued
      const task = this.#next++
      this.#running.set(task, { ...next.origin, worker, isActive: true })
      this.#busy[worker] = (this.#busy[worker] as number) + 1
      this.#options.assign(worker, task, next.work)
    }
    const { threads, shared } = this.#options
    const held = this.#busy.reduce((sum, count) => sum + count, 0)
    // One thread alone would only give to itself, and lose the order.
    shared.setWanted(threads === 1 ? 0 : threads * tasksPerThread - held - this.#queue.length)
  }

  #leastBusy(): number | undefined {
    let best: number | undefined
    for (let worker = 0; worker < this.#busy.length; worker++) {
      const count = this.#busy[worker] as number
      if (count < tasksPerThread && (best === undefined || count < (this.#busy[best] as number))) best = worker
    }
    return best
  }
}

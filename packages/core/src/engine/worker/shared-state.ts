/**
 * The numbers that main thread and workers share: counters that are only added to, and the few words by which workers
 * see whether more work or less memory is wanted.
 */
const counterNames = [
  'files',
  'directories',
  'others',
  'bytes',
  'filesNew',
  'filesChanged',
  'filesUnchanged',
  'newBlobs',
  'newBytes',
  'errors',
  'skipped',
  'deleted',
  'verified',
  'damaged',
] as const

export type CounterName = (typeof counterNames)[number]
export type Counters = Record<CounterName, number>

export interface SharedStateHandle {
  readonly counters: SharedArrayBuffer
  readonly control: SharedArrayBuffer
}

const wantedWord = 0
const packsWord = 1
const stoppedWord = 2

/** Each thread writes counters of its own; the main thread adds them up. */
export class SharedState {
  readonly handle: SharedStateHandle
  readonly #counters: Float64Array
  readonly #control: Int32Array

  constructor(handle: SharedStateHandle) {
    this.handle = handle
    this.#counters = new Float64Array(handle.counters)
    this.#control = new Int32Array(handle.control)
  }

  static create(threads: number): SharedState {
    return new SharedState({
      counters: new SharedArrayBuffer(threads * counterNames.length * 8),
      control: new SharedArrayBuffer(12),
    })
  }

  countersOf(thread: number): WorkerCounters {
    return new WorkerCounters(this.#counters, thread * counterNames.length)
  }

  totals(): Counters {
    const totals = Object.fromEntries(counterNames.map((name) => [name, 0])) as Counters
    for (let i = 0; i < this.#counters.length; i++) {
      const name = counterNames[i % counterNames.length] as CounterName
      totals[name] += this.#counters[i] as number
    }
    return totals
  }

  /** How many more tasks the main thread would like to have in its queue. */
  setWanted(tasks: number): void {
    Atomics.store(this.#control, wantedWord, tasks)
  }

  /** Whether some thread has nothing to do before long. */
  get isWanted(): boolean {
    return Atomics.load(this.#control, wantedWord) > 0
  }

  /** Whether a worker should give work away rather than do it; true at most once per wanted task. */
  takeWanted(): boolean {
    if (!this.isWanted) return false
    return Atomics.sub(this.#control, wantedWord, 1) > 0
  }

  /** Waits until fewer than `limit` packs are on their way to the storage, then counts one more. */
  enterPack(limit: number): void {
    for (;;) {
      const packs = Atomics.load(this.#control, packsWord)
      if (packs < limit) {
        if (Atomics.compareExchange(this.#control, packsWord, packs, packs + 1) === packs) return
      } else Atomics.wait(this.#control, packsWord, packs, 1000)
      if (this.stopped) return
    }
  }

  leavePack(): void {
    Atomics.sub(this.#control, packsWord, 1)
    Atomics.notify(this.#control, packsWord)
  }

  stop(): void {
    Atomics.store(this.#control, stoppedWord, 1)
    Atomics.notify(this.#control, packsWord)
  }

  get stopped(): boolean {
    return Atomics.load(this.#control, stoppedWord) !== 0
  }
}

export class WorkerCounters {
  readonly #values: Float64Array
  readonly #base: number

  constructor(values: Float64Array, base: number) {
    this.#values = values
    this.#base = base
  }

  add(name: CounterName, amount = 1): void {
    const at = this.#base + counterNames.indexOf(name)
    this.#values[at] = (this.#values[at] as number) + amount
  }
}

import type { StorageCall } from './storage-call.js'

/** Attempts of one kind of call, those included that were repeated later. */
export interface CallMetrics {
  /** Attempts that have ended. A list counts once, however many pages the provider makes of it. */
  readonly count: number
  /** Those of them that ended in an error of the port, an abort by the caller included. */
  readonly failures: number
  /** Bytes of the objects that went over whole: given to `put`, got from `get`; 0 for the others. */
  readonly bytes: number
  /** Objects that lists gave; for the others one for each success. */
  readonly objects: number
  /** Seconds between beginning and end, summed over calls that may have run at the same time. */
  readonly seconds: number
}

/** What a storage was asked for since it was opened. A plain copy: it does not change any more. */
export interface StorageMetrics {
  readonly calls: Readonly<Record<StorageCall, CallMetrics>>
  /** Attempts after the first. */
  readonly retries: number
  /** Seconds waited between attempts. */
  readonly retrySeconds: number
  /** Seconds that calls waited for the bandwidth limit, summed. */
  readonly limitSeconds: number
  /** What a dry run would have written and removed. */
  readonly skipped: { readonly puts: number; readonly putBytes: number; readonly removes: number }
}

type Counted = { -readonly [K in keyof CallMetrics]: CallMetrics[K] }

/** Counts for all wrappers of one storage. */
export class StorageMeter {
  readonly #calls: Record<StorageCall, Counted> = {
    put: nothing(),
    get: nothing(),
    stat: nothing(),
    list: nothing(),
    remove: nothing(),
  }
  readonly #skipped = { puts: 0, putBytes: 0, removes: 0 }
  #retries = 0
  #retryMs = 0
  #limitMs = 0

  ended(call: StorageCall, elapsedMs: number, { objects, bytes }: { objects: number; bytes: number }): void {
    const counted = this.#calls[call]
    counted.count++
    counted.objects += objects
    counted.bytes += bytes
    counted.seconds += elapsedMs / 1000
  }

  failed(call: StorageCall, elapsedMs: number, { objects }: { objects: number }): void {
    this.ended(call, elapsedMs, { objects, bytes: 0 })
    this.#calls[call].failures++
  }

  retried(waitedMs: number): void {
    this.#retries++
    this.#retryMs += waitedMs
  }

  limited(waitedMs: number): void {
    this.#limitMs += waitedMs
  }

  skippedPut(bytes: number): void {
    this.#skipped.puts++
    this.#skipped.putBytes += bytes
  }

  skippedRemove(): void {
    this.#skipped.removes++
  }

  snapshot(): StorageMetrics {
    const { put, get, stat, list, remove } = this.#calls
    return {
      calls: { put: { ...put }, get: { ...get }, stat: { ...stat }, list: { ...list }, remove: { ...remove } },
      retries: this.#retries,
      retrySeconds: this.#retryMs / 1000,
      limitSeconds: this.#limitMs / 1000,
      skipped: { ...this.#skipped },
    }
  }
}

function nothing(): Counted {
  return { count: 0, failures: 0, bytes: 0, objects: 0, seconds: 0 }
}

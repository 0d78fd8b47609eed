import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CallOptions,
  type GetOptions,
  isPortError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import pRetry from 'p-retry'

/** How often and how patiently to try again. */
export interface RetryPolicy {
  readonly retries: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
}

export const defaultRetryPolicy: RetryPolicy = { retries: 5, firstDelayMs: 500, maxDelayMs: 30_000 }

const worthRetrying = ['transient', 'throttled', 'offline'] as const

/**
 * Repeats what failed for a reason that passes, and waits for as long as the far side asks. Every call of the port is safe
 * to repeat.
 */
export class RetryingStorage implements Storage {
  readonly #inner: Storage
  readonly #policy: RetryPolicy

  constructor(inner: Storage, policy: RetryPolicy = defaultRetryPolicy) {
    this.#inner = inner
    this.#policy = policy
  }

  get capabilities() {
    return this.#inner.capabilities
  }

  put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    let isRepeated = false
    const attempt = async () => {
      try {
        await this.#inner.put(key, data, options)
      } catch (error) {
        // An earlier attempt may have stored it, and only its answer was lost. Another writer of the very same bytes
        // cannot be told from that, and does no harm: who needs to win alone writes something of its own.
        if (isRepeated && isPortError(error, 'already-exists') && (await this.#holds(key, data, options))) return
        isRepeated = true
        throw error
      }
    }
    return this.#retry(attempt, options)
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#retry(() => this.#inner.get(key, options), options)
  }

  stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return this.#retry(() => this.#inner.stat(key, options), options)
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const begin = () => this.#inner.list(prefix, options)[Symbol.asyncIterator]()
    const given = new Set<string>()
    let objects = begin()
    const next = async () => {
      try {
        for (;;) {
          const result = await objects.next()
          if (result.done || !given.has(result.value.key)) return result
        }
      } catch (error) {
        // An iterator that has failed is at its end: a new one begins at the first object.
        objects = begin()
        throw error
      }
    }
    try {
      for (let result = await this.#retry(next, options); !result.done; result = await this.#retry(next, options)) {
        given.add(result.value.key)
        yield result.value
      }
    } finally {
      await objects.return?.()
    }
  }

  remove(key: string, options: CallOptions = {}): Promise<void> {
    return this.#retry(() => this.#inner.remove(key, options), options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  async #holds(key: string, data: Uint8Array, { signal }: CallOptions): Promise<boolean> {
    const stored = await this.#inner.get(key, signal === undefined ? {} : { signal })
    return Buffer.compare(stored, data) === 0
  }

  async #retry<T>(action: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    let done: { readonly result: T } | undefined
    const attempt = async () => {
      done = { result: await action() }
      return done.result
    }
    const retrying = pRetry(attempt, {
      retries: this.#policy.retries,
      minTimeout: this.#policy.firstDelayMs,
      maxTimeout: this.#policy.maxDelayMs,
      randomize: true,
      shouldRetry: async ({ error, retriesLeft }) => {
        if (!isPortError(error) || !worthRetrying.some((code) => code === error.code)) return false
        if (retriesLeft > 0 && error.retryAfterMs !== undefined) await waitFor(error.retryAfterMs, signal)
        return true
      },
      ...(signal === undefined ? {} : { signal }),
    })
    return retrying.catch((error: unknown) => {
      // A signal that comes just after the end would make pRetry deny what has happened.
      if (done === undefined) throw error
      return done.result
    })
  }
}

/** @throws the reason of the signal */
async function waitFor(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    throw signal?.aborted ? signal.reason : error
  }
}

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

/** Repeats what failed for a reason that passes. Every call of the port is safe to repeat. */
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
    return this.#retry(() => this.#inner.put(key, data, options), options)
  }

  get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#retry(() => this.#inner.get(key, options), options)
  }

  stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return this.#retry(() => this.#inner.stat(key, options), options)
  }

  list(prefix: string, options?: CallOptions): AsyncIterable<StoredObject> {
    return this.#inner.list(prefix, options)
  }

  remove(key: string, options: CallOptions = {}): Promise<void> {
    return this.#retry(() => this.#inner.remove(key, options), options)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }

  #retry<T>(action: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    return pRetry(action, {
      retries: this.#policy.retries,
      minTimeout: this.#policy.firstDelayMs,
      maxTimeout: this.#policy.maxDelayMs,
      randomize: true,
      shouldRetry: ({ error }) => worthRetrying.some((code) => isPortError(error, code)),
      ...(signal === undefined ? {} : { signal }),
    })
  }
}

import {
  type CallOptions,
  type GetOptions,
  isPortError,
  type PutOptions,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import type { Patience } from '../config/destination.js'
import { noteInDoubt } from '../memory-in-doubt.js'
import { ForwardingStorage } from './forwarding.js'
import type { StorageMeter } from './metrics.js'
import { type RetryParts, type RetryPolicy, retried, type Wait } from './retry.js'
import type { StorageCall } from './storage-call.js'
import { systemTiming, type Timing } from './timing.js'

/** Over a network: about a minute and a half, in which a server restarts or a router dials in again. */
export const defaultRetryPolicy: RetryPolicy = {
  retries: 7,
  firstDelayMs: 1_000,
  maxDelayMs: 30_000,
  maxAskedDelayMs: 60_000,
  patienceMs: 120_000,
}

/** For disks of this machine: what does not pass in seconds does not pass. */
export const localRetryPolicy: RetryPolicy = { ...defaultRetryPolicy, retries: 5, firstDelayMs: 500 }

/** The longest wait of our own, on average: who is to be patient for longer tries more often. */
const averageLateDelayMs = 0.75 * defaultRetryPolicy.maxDelayMs

export function retryPolicyOf(policy: RetryPolicy, { retrySeconds }: Patience = {}): RetryPolicy {
  if (retrySeconds === undefined) return policy
  const patienceMs = retrySeconds * 1000
  const retries = patienceMs === 0 ? 0 : policy.retries + Math.ceil(patienceMs / averageLateDelayMs)
  return { ...policy, retries, patienceMs }
}

/** Told before each wait. */
export interface RetryNotice extends Wait {
  readonly call: StorageCall
  /** A key, or the prefix of a list. */
  readonly subject: string
}

export interface RetryingParts {
  readonly policy?: RetryPolicy
  readonly timing?: Timing
  /** From 0 to less than 1. */
  readonly random?: () => number
  readonly meter?: StorageMeter
  readonly onRetry?: (notice: RetryNotice) => void
}

/** How a place that is taken answers: to one who must not replace, and where nobody may. */
const isRefusal = (error: unknown) => isPortError(error, 'already-exists') || isPortError(error, 'forbidden')

type Subject = Pick<RetryNotice, 'call' | 'subject'>

/**
 * Repeats what failed for a reason that passes, and waits for as long as the far side asks, within limits. Every call of the
 * port is safe to repeat.
 */
export class RetryingStorage extends ForwardingStorage {
  readonly #policy: RetryPolicy
  readonly #timing: Timing
  readonly #random: () => number
  readonly #parts: RetryingParts
  readonly #closing = new AbortController()

  constructor(inner: Storage, parts: RetryingParts = {}) {
    super(inner)
    this.#policy = parts.policy ?? defaultRetryPolicy
    this.#timing = parts.timing ?? systemTiming
    this.#random = parts.random ?? Math.random
    this.#parts = parts
  }

  override put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    let isRepeated = false
    const attempt = async () => {
      try {
        await this.inner.put(key, data, options)
      } catch (error) {
        // An earlier attempt may have stored it, and only its answer was lost. Another writer of the very same bytes
        // cannot be told from that, and does no harm: who needs to win alone writes something of its own.
        if (isRepeated && isRefusal(error) && (await this.#holds(key, data, options))) return
        isRepeated = true
        noteInDoubt(data)
        throw error
      }
    }
    return this.#retry({ call: 'put', subject: key }, attempt, options)
  }

  override get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    return this.#retry({ call: 'get', subject: key }, () => this.inner.get(key, options), options)
  }

  override stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    return this.#retry({ call: 'stat', subject: key }, () => this.inner.stat(key, options), options)
  }

  override async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const begin = () => this.inner.list(prefix, options)[Symbol.asyncIterator]()
    const given = new Set<string>()
    let objects = begin()
    const step = async () => {
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
    const next = () => this.#retry({ call: 'list', subject: prefix }, step, options)
    try {
      for (let result = await next(); !result.done; result = await next()) {
        given.add(result.value.key)
        yield result.value
      }
    } finally {
      await objects.return?.()
    }
  }

  override remove(key: string, options: CallOptions = {}): Promise<void> {
    return this.#retry({ call: 'remove', subject: key }, () => this.inner.remove(key, options), options)
  }

  /** What is still under way was abandoned: it ends as it fails, and nobody is told. */
  override close(): Promise<void> {
    this.#closing.abort()
    return super.close()
  }

  async #holds(key: string, data: Uint8Array, { signal }: CallOptions): Promise<boolean> {
    try {
      const stored = await this.inner.get(key, signal === undefined ? {} : { signal })
      return Buffer.compare(stored, data) === 0
    } catch (error) {
      // Then the refusal is the answer.
      if (isPortError(error, 'not-found') || isPortError(error, 'forbidden')) return false
      throw error
    }
  }

  #retry<T>(subject: Subject, action: () => Promise<T>, { signal }: CallOptions): Promise<T> {
    const { meter, onRetry } = this.#parts
    const parts: RetryParts = {
      policy: this.#policy,
      timing: this.#timing,
      random: this.#random,
      ended: this.#closing.signal,
      onWait: (wait) => onRetry?.({ ...subject, ...wait }),
      onWaited: (delayMs) => meter?.retried(delayMs),
    }
    return retried(action, parts, signal)
  }
}

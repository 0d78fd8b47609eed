import { isPortError, type Storage } from '@bkp/plugin-api'
import {
  type FaultProxy,
  type HttpFaultProxy,
  randomLikeBytes,
  startFaultProxy,
  startHttpFaultProxy,
} from '@bkp/testkit'
import { expect } from 'vitest'
import { destinationOf } from '../../../../packages/core/src/config/destination.js'
import { objectNameOf, packKey } from '../../../../packages/core/src/format/ids.js'
import type { RetryPolicy } from '../../../../packages/core/src/ports/retry.js'
import { defaultRetryPolicy } from '../../../../packages/core/src/ports/retrying.js'
import type { TimeLimits } from '../../../../packages/core/src/ports/timeout.js'
import { type WrappedStorage, wrapStorage } from '../../../../packages/core/src/ports/wrap-storage.js'
import type { Address, FaultTarget } from './fault-target.js'

/** A whole pack, whose size is not known before, gets a second more. */
export const quickLimits: TimeLimits = { baseMs: 2000, minBytesPerSecond: 2 ** 26, abortMs: 300, closeMs: 1000 }
export const quickRetry: RetryPolicy = {
  retries: 4,
  firstDelayMs: 20,
  maxDelayMs: 200,
  maxAskedDelayMs: 200,
  patienceMs: 6000,
}
export const noRetry: RetryPolicy = { ...defaultRetryPolicy, retries: 0 }
/** Patience, one more attempt, and time for a busy machine. */
export const longestCallMs = 15_000

export const packBytes = 200_000

export interface Pack {
  readonly key: string
  readonly bytes: Uint8Array
}

let packs = 0

/** A pack that no test has seen before. */
export function newPack(sizeBytes = packBytes): Pack {
  const bytes = randomLikeBytes(sizeBytes, ++packs)
  return { key: packKey(objectNameOf(bytes)), bytes }
}

export type Outcome = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly error: unknown }

/** A server behind proxies, and what must be true of it whatever they do. */
export class FaultBench {
  readonly target: FaultTarget
  readonly proxy: FaultProxy
  readonly httpProxy: HttpFaultProxy
  readonly #opened: Storage[] = []

  private constructor(target: FaultTarget, proxy: FaultProxy, httpProxy: HttpFaultProxy) {
    this.target = target
    this.proxy = proxy
    this.httpProxy = httpProxy
  }

  static async start(target: FaultTarget): Promise<FaultBench> {
    const { address } = target
    return new FaultBench(
      target,
      await startFaultProxy({ target: address }),
      await startHttpFaultProxy({ target: address }),
    )
  }

  /** Core's storage with short limits, at an address: a proxy's, or the server's own. */
  async open({ host, port }: Address, retry: RetryPolicy = quickRetry): Promise<WrappedStorage> {
    const raw = await this.target.open({ host, port })
    const storage = wrapStorage(raw, destinationOf('faults'), { retry, timeLimits: quickLimits })
    this.#opened.push(storage)
    return storage
  }

  /** Heals everything, and closes what was opened. */
  async tidy(): Promise<void> {
    this.proxy.heal()
    this.httpProxy.heal()
    await this.proxy.accept()
    for (const storage of this.#opened.splice(0)) await inTime(storage.close())
  }

  async stop(): Promise<void> {
    await this.proxy.close()
    await this.httpProxy.close()
    await this.target.stop()
  }

  /** The promise of every put: what resolved is there whole; what failed is there whole, or not at all. */
  async audit(puts: readonly { readonly pack: Pack; readonly outcome: Outcome }[]): Promise<void> {
    const storage = await this.open(this.target.address)
    for (const { pack, outcome } of puts) {
      const found = await storage.get(pack.key).catch((error: unknown) => {
        if (isPortError(error, 'not-found')) return undefined
        throw error
      })
      if (outcome.kind === 'done') expect(found, 'a put that resolved').toBeDefined()
      if (found !== undefined) expect(Buffer.compare(found, pack.bytes), pack.key).toBe(0)
    }
  }
}

/** How a call ends. It must be in time, and a failure must be one of the port. */
export async function outcomeOf(call: Promise<unknown>): Promise<Outcome> {
  try {
    await inTime(call)
    return { kind: 'done' }
  } catch (error) {
    expect(isPortError(error), `not an error of the port: ${String(error)}`).toBe(true)
    return { kind: 'failed', error }
  }
}

/** @throws when a call outlives its limit */
export async function inTime<T>(call: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`a call took longer than ${longestCallMs} ms`)), longestCallMs)
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}

import type { Storage } from '@bkp/plugin-api'
import { type BandwidthLimiter, BandwidthStorage } from './bandwidth.js'
import { ConcurrencyStorage } from './concurrency.js'
import { DryRunStorage } from './dry-run.js'
import { IntegrityStorage } from './integrity.js'
import { MeteredStorage } from './metered.js'
import type { StorageMeter } from './metrics.js'
import { type RetryingParts, RetryingStorage } from './retrying.js'
import { type TimeoutParts, TimeoutStorage } from './timeout.js'

/** Puts one thing around a storage. */
export type StorageWrapper = (inner: Storage) => Storage

/** Puts wrappers around a storage, the innermost first. */
export function compose(raw: Storage, ...wrappers: readonly StorageWrapper[]): Storage {
  return wrappers.reduce((inner, wrap) => wrap(inner), raw)
}

export const withTimeout =
  (parts: TimeoutParts): StorageWrapper =>
  (inner) =>
    new TimeoutStorage(inner, parts)

export const withMeter =
  (meter: StorageMeter): StorageWrapper =>
  (inner) =>
    new MeteredStorage(inner, meter)

export const withConcurrency =
  (limit: number): StorageWrapper =>
  (inner) =>
    new ConcurrencyStorage(inner, limit)

export const withBandwidth =
  (limiter: BandwidthLimiter): StorageWrapper =>
  (inner) =>
    new BandwidthStorage(inner, limiter)

export const withIntegrity = (): StorageWrapper => (inner) => new IntegrityStorage(inner)

export const withRetry =
  (parts: RetryingParts): StorageWrapper =>
  (inner) =>
    new RetryingStorage(inner, parts)

export const withDryRun =
  (meter: StorageMeter): StorageWrapper =>
  (inner) =>
    new DryRunStorage(inner, meter)

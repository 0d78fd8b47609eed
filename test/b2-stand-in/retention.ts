import { badRequest } from './api-error.js'
import { type HeldKey, requireCapability } from './application-keys.js'
import type { Bucket, Retention } from './buckets.js'

/** Retention as JSON or headers tell it. @throws ApiError 400 */
export function readRetention(told: unknown): Retention | undefined {
  if (told === undefined || told === null) return undefined
  const { mode, retainUntilTimestamp } = told as Record<string, unknown>
  if (mode === undefined && retainUntilTimestamp === undefined) return undefined
  const until = Number(retainUntilTimestamp)
  if ((mode !== 'governance' && mode !== 'compliance') || !Number.isSafeInteger(until))
    throw badRequest('Retention needs a mode and a time')
  return { mode, retainUntilTimestamp: until }
}

/** @throws ApiError 400 where the bucket has no Object Lock, 401 where the key may not */
export function requireLock(key: HeldKey, bucket: Bucket, { retainUntilTimestamp }: Retention, now: number): void {
  if (!bucket.fileLockEnabled) throw badRequest('Object Lock is not enabled for this bucket')
  requireCapability(key, 'writeFileRetentions')
  if (retainUntilTimestamp <= now) throw badRequest('The retain until timestamp must be in the future')
}

import { isPortError, type Storage } from '@bkp/plugin-api'
import { rateOf } from '../../config/rate-schedule.js'
import { secondsToTransfer } from '../../config/transfer-time.js'
import { descriptorKey } from '../../format/ids.js'
import type { MigrateOptions, MigrationPlan } from '../api.js'
import { type MissingObjects, transfersAtATime } from './copy-missing.js'

/** What the providers give in one answer of a list. */
const keysPerList = 1000
/** Parts of a repository that are listed by themselves. */
const partsListed = 5
/** Objects that are read to find one that is sound. */
const mostTries = 3

/** What a migration of these objects will take. Reads one object at the source, to see how fast it is. */
export async function planMigration(
  missing: MissingObjects,
  source: Storage,
  options: MigrateOptions,
  now: () => number,
): Promise<MigrationPlan> {
  const { readBack, signal } = options
  const started = now()
  // It belongs to no part, and so is in no list.
  const descriptor = await source.stat(descriptorKey, signal === undefined ? {} : { signal })
  const latencySeconds = secondsSince(started, now)
  const objects = missing.found.size + 1
  const bytes = [...missing.found.values()].reduce((sum, sizeBytes) => sum + sizeBytes, descriptor.sizeBytes)
  // Asked for to find what is missing, once more when all is copied, and in one go to prove it.
  const byParts = (count: number) => partsListed + Math.floor(count / keysPerList)
  const whole = (count: number) => 1 + Math.floor(count / keysPerList)
  return {
    objects,
    bytes,
    objectsToCopy: missing.objects,
    bytesToCopy: missing.bytes,
    requests: {
      listAtSource: 2 * byParts(objects) + whole(objects),
      readAtSource: missing.objects === 0 ? 0 : missing.objects + 1,
      listAtTarget: byParts(objects - missing.objects) + byParts(objects) + whole(objects),
      writeAtTarget: missing.objects,
      readAtTarget: readBack ? objects : 0,
    },
    ...(await estimate(missing, { objects, bytes }, latencySeconds, source, options, now)),
  }
}

/**
 * Line and limits, whichever is slower. The line is known by the largest missing object, which is closest to its speed; the
 * time until a first byte counts for every object.
 */
async function estimate(
  missing: MissingObjects,
  all: { readonly objects: number; readonly bytes: number },
  latencySeconds: number,
  source: Storage,
  { from, to, readBack, signal }: MigrateOptions,
  now: () => number,
): Promise<Pick<MigrationPlan, 'seconds' | 'secondsToCopy' | 'secondsToReadBack'>> {
  const unknown = { seconds: undefined, secondsToCopy: undefined, secondsToReadBack: undefined }
  const largest = await secondsForLargest(missing, source, signal === undefined ? {} : { signal }, now)
  if (largest === undefined) return unknown
  // Of an object that is small, most of the time is not its bytes'.
  const secondsPerByte = Math.max(largest.seconds - latencySeconds, largest.seconds / 10) / largest.sizeBytes
  const byLine = ({ objects, bytes }: { readonly objects: number; readonly bytes: number }) =>
    bytes * secondsPerByte + (objects / transfersAtATime) * latencySeconds
  const started = now()
  const secondsToCopy = Math.max(
    byLine(missing),
    secondsToTransfer(missing.bytes, rateOf(from.limits ?? {}, 'download'), started),
    secondsToTransfer(missing.bytes, rateOf(to.limits ?? {}, 'upload'), started),
  )
  if (!Number.isFinite(secondsToCopy)) return unknown
  const back = rateOf(to.limits ?? {}, 'download')
  const secondsToReadBack = readBack
    ? Math.max(byLine(all), secondsToTransfer(all.bytes, back, started + secondsToCopy * 1000))
    : 0
  if (!Number.isFinite(secondsToReadBack)) return unknown
  return { seconds: secondsToCopy + secondsToReadBack, secondsToCopy, secondsToReadBack }
}

async function secondsForLargest(
  missing: MissingObjects,
  source: Storage,
  options: { readonly signal?: AbortSignal },
  now: () => number,
): Promise<{ readonly seconds: number; readonly sizeBytes: number } | undefined> {
  const bySize = missing.steps.flat().sort((a, b) => b.sizeBytes - a.sizeBytes)
  for (const { key, sizeBytes } of bySize.slice(0, mostTries)) {
    const started = now()
    try {
      await source.get(key, options)
      return { seconds: secondsSince(started, now), sizeBytes: Math.max(1, sizeBytes) }
    } catch (error) {
      // A damaged one is told of when it is copied.
      if (!isPortError(error, 'corrupt') && !isPortError(error, 'not-found')) throw error
    }
  }
  return undefined
}

// The clock counts whole milliseconds.
function secondsSince(started: number, now: () => number): number {
  return Math.max(0.5, now() - started) / 1000
}

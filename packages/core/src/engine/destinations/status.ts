import { shownPlace } from '../../config/destination.js'
import { isBkpError } from '../../errors/index.js'
import { loadSnapshots, type StoredSnapshot } from '../../repository/snapshots.js'
import { throwIfAborted } from '../abort.js'
import type { DestinationStatus, RunOptions } from '../api.js'
import type { CheckRecords } from '../check/check-records.js'
import type { OperationContext } from '../context.js'
import { listAll } from '../replicas/copy-missing.js'
import { asError, hintOf, type Replica } from '../replicas/replica.js'

/** What one replica holds by itself. */
interface Holding {
  readonly replica: Replica
  readonly snapshots: readonly StoredSnapshot[]
  readonly sizes: ReadonlyMap<string, number>
}

/** How every destination of a repository is, each compared with all. */
export async function statusOf(
  context: OperationContext,
  records: CheckRecords | undefined,
  { signal }: RunOptions,
): Promise<readonly DestinationStatus[]> {
  const found = await Promise.all(
    context.replicas.map(async (replica) => {
      try {
        return await holdingOf(context, replica, signal)
      } catch (error) {
        throwIfAborted(signal)
        return { replica, error: asError(error) }
      }
    }),
  )
  const holdings = found.filter((one): one is Holding => 'sizes' in one)
  const all = new Map(holdings.flatMap(({ sizes }) => [...sizes]))
  const ids = new Set(holdings.flatMap(({ snapshots }) => snapshots.map(({ id }) => id)))
  const newest = Math.max(...holdings.map(newestOf))
  const statuses: DestinationStatus[] = []
  for (const one of found) {
    const { name, url } = shownPlace(one.replica.destination)
    if (!('sizes' in one)) {
      statuses.push({ name, url, message: one.error.message, ...hintOf(one.error) })
      continue
    }
    const missing = [...all].filter(([key]) => !one.sizes.has(key))
    const lastCheck = await records?.latest(context.repository.id, one.replica.destination.url)
    const own = one.snapshots.at(-1)?.snapshot.time
    statuses.push({
      name,
      url,
      snapshots: one.snapshots.length,
      lagSnapshots: ids.size - one.snapshots.length,
      ...(own === undefined ? {} : { newestSnapshot: own, lagSeconds: Math.round((newest - newestOf(one)) / 1000) }),
      objects: one.sizes.size,
      bytes: sum([...one.sizes.values()]),
      missingObjects: missing.length,
      missingBytes: sum(missing.map(([, sizeBytes]) => sizeBytes)),
      ...(lastCheck === undefined ? {} : { lastCheck }),
    })
  }
  const absent = context.absent.map(({ destination, error }) => ({
    ...shownPlace(destination),
    message: error.message,
    ...(isBkpError(error, 'no-repository') ? { isEmpty: true as const } : {}),
    ...hintOf(error),
  }))
  return [...statuses, ...absent]
}

async function holdingOf(
  context: OperationContext,
  replica: Replica,
  signal: AbortSignal | undefined,
): Promise<Holding> {
  const alone = context.only(replica)
  const [snapshots, objects] = await Promise.all([
    loadSnapshots(alone.repository, alone.cipherFor),
    listAll(replica.storage, '', signal === undefined ? {} : { signal }),
  ])
  // Leases of writers come and go.
  const kept = objects.filter(({ key }) => !key.startsWith('sessions/'))
  return { replica, snapshots, sizes: new Map(kept.map(({ key, sizeBytes }) => [key, sizeBytes])) }
}

/** Milliseconds since 1970; 0 without a snapshot. */
function newestOf({ snapshots }: Holding): number {
  const time = snapshots.at(-1)?.snapshot.time
  return time === undefined ? 0 : Date.parse(time)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

import { BkpError, isBkpError } from '../errors/index.js'
import { parseObjectKey, snapshotKey } from '../format/ids.js'
import { compareTimestamps } from '../format/json.js'
import type { CipherInUse } from '../format/sealed-object.js'
import { parseSnapshot, type Snapshot } from '../format/snapshot.js'
import type { OpenedRepository } from './opened-repository.js'
import { type BrokenObject, forEachAtATime, keysOf, readSealed, readsAtATime } from './repository-index.js'

export interface StoredSnapshot {
  /** Hex. */
  readonly id: string
  readonly snapshot: Snapshot
}

export interface SnapshotFilterOptions {
  readonly hostname?: string
  readonly tag?: string
  /** Texts of paths: a snapshot of any of them is meant. */
  readonly paths?: readonly string[]
}

/** All snapshots, the oldest first. Damaged ones go to `broken`. */
export async function loadSnapshots(
  repository: OpenedRepository,
  cipherFor: (id: string) => CipherInUse,
  broken: BrokenObject[] = [],
): Promise<readonly StoredSnapshot[]> {
  const found: StoredSnapshot[] = []
  await forEachAtATime(await keysOf(repository.storage, 'snapshots/'), readsAtATime, async (key) => {
    const payload = await readSealed(repository, 'snapshot', key, cipherFor, broken)
    if (payload === undefined) return
    try {
      found.push({ id: parseObjectKey(key)?.name as string, snapshot: parseSnapshot(payload) })
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      broken.push({ key, error })
    }
  })
  return found.sort((a, b) => compareTimestamps(a.snapshot.time, b.snapshot.time) || (a.id < b.id ? -1 : 1))
}

/**
 * One snapshot.
 * @param id all 64 hex digits
 * @throws BkpError `not-found`, `damaged`
 */
export async function loadSnapshot(
  repository: OpenedRepository,
  cipherFor: (id: string) => CipherInUse,
  id: string,
): Promise<StoredSnapshot> {
  const broken: BrokenObject[] = []
  const payload = await readSealed(repository, 'snapshot', snapshotKey(id), cipherFor, broken)
  if (payload === undefined) throw broken[0]?.error
  return { id, snapshot: parseSnapshot(payload) }
}

export function filterSnapshots(
  snapshots: readonly StoredSnapshot[],
  filter: SnapshotFilterOptions,
): readonly StoredSnapshot[] {
  return snapshots.filter(
    ({ snapshot }) =>
      (filter.hostname === undefined || snapshot.hostname === filter.hostname) &&
      (filter.tag === undefined || snapshot.tags.includes(filter.tag)) &&
      (filter.paths === undefined || snapshot.paths.some(({ text }) => filter.paths?.includes(text))),
  )
}

/**
 * @param reference hex prefix of at least 4 digits, or `latest`
 * @throws BkpError `not-found`, `usage`
 */
export function resolveSnapshot(snapshots: readonly StoredSnapshot[], reference: string): StoredSnapshot {
  const latest = snapshots.at(-1)
  if (latest === undefined) {
    throw new BkpError('not-found', 'The repository has no snapshot that fits', { hint: 'List them: bkp snapshots' })
  }
  if (reference === 'latest') return latest
  if (!/^[0-9a-f]{4,64}$/.test(reference)) {
    throw new BkpError('usage', `"${reference}" is not a snapshot: give "latest" or at least 4 hex digits of its id`, {
      hint: 'List the snapshots: bkp snapshots',
    })
  }
  const fitting = snapshots.filter(({ id }) => id.startsWith(reference))
  const [first, second] = fitting
  if (first === undefined)
    throw new BkpError('not-found', `There is no snapshot ${reference}`, { hint: 'List the snapshots: bkp snapshots' })
  if (second !== undefined)
    throw new BkpError('usage', `${fitting.length} snapshots begin with ${reference}`, {
      hint: 'Give more digits of the id',
    })
  return first
}

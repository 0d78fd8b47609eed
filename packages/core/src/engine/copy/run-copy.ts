import { BkpError } from '../../errors/index.js'
import type { BrokenObject } from '../../repository/repository-index.js'
import { loadSnapshots, type StoredSnapshot } from '../../repository/snapshots.js'
import type { SnapshotCopy, SnapshotCopyOptions, SnapshotCopyResult } from '../api.js'
import { Delivery } from '../backup/delivery.js'
import { loadKnownBefore, tellOfLost } from '../backup/known-before.js'
import { adoptOrphans, tellOfAdopted } from '../backup/orphans.js'
import type { OperationContext } from '../context.js'
import { requireCodecs } from '../plugin-access.js'
import { Leases } from '../replicas/leases.js'
import { lostEvent } from '../replicas/replica.js'
import { byOrigin, originOf } from './copied-snapshot.js'
import { CopyRun, type CopyRunParts, type CopyTotals } from './copy-run.js'
import { described } from './described.js'

const nothing: CopyTotals = { blobsRead: 0, bytesRead: 0, newBlobs: 0, newBytes: 0 }

/**
 * Copies snapshots of one repository into another, the oldest first. What the target has already is not stored again, and
 * what is known to be there by an earlier copy is not read either. A snapshot that is damaged is left out, and said.
 */
export async function runCopy(
  source: OperationContext,
  target: OperationContext,
  options: SnapshotCopyOptions,
): Promise<SnapshotCopyResult> {
  const started = target.now()
  refuseSame(source, target)
  await target.codecs.loadForeign(options.cipher)
  options.onEvent?.({ kind: 'started', operation: 'copy' })
  for (const { destination, error } of [...source.absent, ...target.absent])
    options.onEvent?.(lostEvent(destination.name, error))
  const broken: BrokenObject[] = []
  const [all, there] = await Promise.all([
    loadSnapshots(source.repository, source.cipherFor, broken),
    loadSnapshots(target.repository, target.cipherFor),
  ])
  const { snapshots: chosen } = options
  const origins = new Map(all.map((stored) => [stored.id, originOf(source.repository.id, stored)]))
  const wanted = chosen === undefined ? all : all.filter(({ id }) => chosen.includes(id))
  const copies = byOrigin(target.repository.id, there)
  const known = all.filter((stored) => copies.has(originOf(source.repository.id, stored)))
  const todo = wanted.filter((stored) => !known.includes(stored))
  const done = await copyAll(source, target, options, { known, copies, origins, todo })
  const outcomes = new Map(done.snapshots.map((snapshot) => [snapshot.sourceId, snapshot]))
  return {
    snapshots: wanted.map((stored) => outcomes.get(stored.id) ?? presentAs(source, stored, copies)),
    // Of those that were named one by one, none is broken.
    broken: chosen === undefined ? broken.map(({ key, error }) => ({ key, message: error.message })) : [],
    stats: done.stats,
    destinations: done.destinations,
    elapsedMs: target.now() - started,
  }
}

interface Work extends Pick<CopyRunParts, 'known' | 'copies' | 'origins'> {
  readonly todo: readonly StoredSnapshot[]
}

async function copyAll(
  source: OperationContext,
  target: OperationContext,
  options: SnapshotCopyOptions,
  work: Work,
): Promise<Pick<SnapshotCopyResult, 'snapshots' | 'stats' | 'destinations'>> {
  const hasLaggards = target.isReplicated || target.absent.length > 0
  if (work.todo.length === 0 && !hasLaggards)
    return { snapshots: [], stats: { ...nothing, storedBytes: 0 }, destinations: [] }
  requireCodecs(target.plugins, options)
  const leases = options.dryRun ? undefined : await Leases.begin(target, options.cipher, 'copy')
  const stored = { bytes: 0, hasBegun: false }
  const abort = new AbortController()
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal])
  let isCommitted = false
  try {
    if (leases !== undefined) tellOfAdopted(await adoptOrphans(target, options.cipher, leases, signal), options.onEvent)
    const [from, { index: to, lags }] = await Promise.all([
      source.loadIndex({ signal }),
      loadKnownBefore(target, { ...options, force: false, signal }),
    ])
    tellOfLost(to, options.onEvent)
    const delivery = new Delivery(target, options, { index: to, lags, stored, signal })
    try {
      const run = await CopyRun.create(
        { context: source, index: from },
        { context: target, index: to },
        { ...options, signal },
        { ...work, delivery, stored },
      )
      const snapshots: SnapshotCopy[] = []
      try {
        for (const snapshot of work.todo) snapshots.push(await run.copy(snapshot))
        const destinations = options.dryRun ? [] : await run.finish()
        isCommitted = true
        return { snapshots, stats: { ...run.totals(), storedBytes: stored.bytes }, destinations }
      } finally {
        await run.close()
      }
    } finally {
      await delivery.close()
    }
  } catch (error) {
    abort.abort(error)
    throw error
  } finally {
    // A failed run's packs are in no index: its session tells the next run to look for them.
    if (isCommitted || !stored.hasBegun) await leases?.end()
    else await leases?.abandon()
  }
}

function presentAs(source: OperationContext, stored: StoredSnapshot, copies: Work['copies']): SnapshotCopy {
  const targetId = copies.get(originOf(source.repository.id, stored))?.id
  return { ...described(stored), state: 'present', ...(targetId === undefined ? {} : { targetId }), faults: [] }
}

function refuseSame(source: OperationContext, target: OperationContext): void {
  if (source.repository.id !== target.repository.id) return
  throw new BkpError(
    'usage',
    `${source.repository.url} and ${target.repository.url} are the same repository (${target.repository.id.slice(0, 8)})`,
    { hint: 'One destination of a repository is brought up from another by: bkp sync' },
  )
}

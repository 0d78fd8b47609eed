import { BkpError } from '../../errors/index.js'
import { installHint } from '../../errors/missing-plugin.js'
import { snapshotKey } from '../../format/ids.js'
import { encodeSnapshot, maxIssuesInSnapshot, rootTreeOf, type Snapshot, toJsonBytes } from '../../format/snapshot.js'
import { numberOf, type RepositoryIndex } from '../../repository/repository-index.js'
import { loadSnapshots, type StoredSnapshot } from '../../repository/snapshots.js'
import type { BackupOptions, BackupResult, BackupStats, Issue } from '../api.js'
import type { OperationContext } from '../context.js'
import { foreignIn, requireCodecs, type WorkerModule } from '../plugin-access.js'
import { recordPlugins } from '../plugin-records.js'
import type { Lag } from '../replicas/lag.js'
import { Leases } from '../replicas/leases.js'
import { lostEvent } from '../replicas/replica.js'
import { Delivery } from './delivery.js'
import { loadKnownBefore, tellOfLost } from './known-before.js'
import { adoptOrphans, tellOfAdopted } from './orphans.js'
import { ScanCache } from './scan-cache.js'
import { scanInThreads } from './scan-in-threads.js'

const parentPacksBytes = 96 * 1024 * 1024
// Clocks of file systems tick that coarsely; what changed within a tick of the last run is read again.
const clockSlackSeconds = 0.02

/** Makes one snapshot. Nothing that was there is changed; what is listed afterwards is complete. */
export async function runBackup(context: OperationContext, options: BackupOptions): Promise<BackupResult> {
  requireCodecs(context.plugins, options)
  const listedSince = context.reserve.listedSince(context.now())
  await context.codecs.loadForeign(options.cipher)
  const started = listedSince ?? context.now()
  options.onEvent?.({ kind: 'started', operation: 'backup' })
  for (const { destination, error } of context.absent) options.onEvent?.(lostEvent(destination.name, error))
  const stored = { bytes: 0, hasBegun: false }
  const abort = new AbortController()
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal])
  let isCommitted = false
  const scanCache = new ScanCache(context, options)
  // Side by side: the lease has the time of now, which is before the index is read, and it is there before anything is stored.
  const beginning = options.dryRun ? undefined : Leases.begin(context, options.cipher, 'backup')
  try {
    const load = () => loadKnownBefore(context, { ...options, signal })
    const [loaded, snapshots, adopted] = await Promise.all([
      load(),
      loadSnapshots(context.repository, context.cipherFor),
      beginning?.then((leases) => adoptOrphans(context, options.cipher, leases, options.signal)) ?? 0,
    ])
    tellOfAdopted(adopted, options.onEvent)
    const { index, lags } = adopted > 0 ? await load() : loaded
    tellOfLost(index, options.onEvent)
    const parent = findParent(snapshots, options, context.now())
    const useListings = listedSince !== undefined
    const parts = { index, snapshots, parent, lags, started, stored, useListings, signal, scanCache }
    const result = await scanAndCommit(context, options, parts)
    isCommitted = true
    return { ...result, elapsedMs: context.now() - started }
  } catch (error) {
    abort.abort(error)
    throw error
  } finally {
    // A lease that could not begin has failed the run by itself, and there is nothing to end.
    const leases = await beginning?.catch(() => undefined)
    // A failed run's packs are in no index: its session tells the next run to look for them.
    if (isCommitted || !stored.hasBegun) await leases?.end()
    else await leases?.abandon()
  }
}

interface RunParts {
  readonly index: RepositoryIndex
  /** All that are there, the oldest first. */
  readonly snapshots: readonly StoredSnapshot[]
  readonly parent: StoredSnapshot | undefined
  readonly lags: readonly Lag[]
  readonly started: number
  readonly useListings: boolean
  readonly scanCache: ScanCache
  /** What the run has stored so far, also when it fails; a pack may be there before its storing is known to have succeeded. */
  readonly stored: { bytes: number; hasBegun: boolean }
  /** Aborted with the run, and when the run fails. */
  readonly signal: AbortSignal
}

async function scanAndCommit(
  context: OperationContext,
  options: BackupOptions,
  parts: RunParts,
): Promise<Omit<BackupResult, 'elapsedMs'>> {
  const { index, parent, started, stored, useListings, scanCache } = parts
  const delivery = new Delivery(context, options, parts)
  // Enters it into the list that the threads are given.
  const compression = numberOf(index.compressions, options.compression.id)
  const cache = context.packCache(index.packs, parentPacksBytes)
  const issues: Issue[] = []
  const codecs = context.describeCodecs(index.compressions, options.compression)
  const source = sourceOf(context, options.source.id)
  try {
    const scanned = await scanInThreads({
      threads: context.threads,
      ...context.poolParts,
      foreign: [...foreignIn(codecs), ...(source.plugin === undefined ? [] : [source.plugin])],
      speaker: source.packageName,
      setup: {
        repositoryId: context.repository.id,
        keys: context.repository.keys,
        table: index.table.handle,
        codecs,
        compression,
        cipherId: options.cipher,
        sharesPacks: context.sharesPacks,
        source: { url: source.url, configuration: options.source.configuration, plugin: source.plugin },
        excludes: options.excludes,
        excludeCaches: options.excludeCaches,
        oneFileSystem: options.oneFileSystem,
        excludeLargerThanBytes: options.excludeLargerThanBytes,
        force: options.force,
        useListings,
        parentTimeSeconds: parent === undefined ? 0 : Date.parse(parent.snapshot.time) / 1000 - clockSlackSeconds,
        memory: {
          key: scanCache.listingKey,
          known: await scanCache.records({ parentId: parent?.id, index }),
          rememberBefore: started / 1000 - clockSlackSeconds,
        },
      },
      root: {
        kind: 'root',
        paths: options.paths,
        parentTree: parent === undefined ? new Uint8Array(0) : rootTreeOf(parent.snapshot),
      },
      fetchPack: (pack) => cache.get(pack),
      storePack: (pack) => delivery.pack(pack),
      storedBytes: () => stored.bytes,
      planned:
        parent === undefined
          ? undefined
          : { files: parent.snapshot.stats.files ?? 0, bytes: parent.snapshot.stats.bytes ?? 0 },
      onEvent: options.onEvent,
      signal: options.signal,
      issues,
    })
    if (scanned.tree.length === 0)
      throw new BkpError('source-unreadable', 'Nothing could be read, so no snapshot was made')
    const segments = await delivery.finishPacks()
    const stats: BackupStats = { ...scanned.stats, storedBytes: stored.bytes }
    const parentPart = parent === undefined ? {} : { parentId: parent.id }
    if (options.dryRun) return { ...parentPart, stats, issues, destinations: [] }
    const snapshot = describeSnapshot(context, options, { tree: scanned.tree, stats, issues, ...parts })
    const { name, bytes } = context.seal('snapshot', encodeSnapshot(snapshot), options.cipher)
    const destinations = await delivery.commit({ key: snapshotKey(name), bytes })
    await scanCache.write(name, index, segments, scanned.scans)
    const storedBytes = stored.bytes + bytes.length
    return { snapshotId: name, ...parentPart, stats: { ...stats, storedBytes }, issues, destinations }
  } finally {
    await delivery.close()
  }
}

function describeSnapshot(
  context: OperationContext,
  options: BackupOptions,
  parts: {
    tree: readonly string[]
    snapshots: readonly StoredSnapshot[]
    parent: StoredSnapshot | undefined
    stats: BackupStats
    issues: readonly Issue[]
    started: number
  },
): Snapshot {
  return {
    version: 1,
    time: `${new Date(parts.started).toISOString().slice(0, -1)}000000Z`,
    finished: new Date(context.now()).toISOString(),
    hostname: options.hostname,
    username: options.username,
    program: options.program,
    source: options.source.id,
    paths: options.paths.map(toJsonBytes),
    tags: options.tags,
    excludes: options.excludes,
    tree: parts.tree,
    parent: parts.parent?.id ?? null,
    stats: { ...parts.stats },
    issues: parts.issues
      .slice(0, maxIssuesInSnapshot)
      .map(({ path, kind, message }) => ({ path: toJsonBytes(path.bytes), kind, message })),
    ...recordPlugins(context.plugins, { ...options, source: options.source.id }, parts.snapshots),
  }
}

/** The snapshot to compare with: the named one, or the newest of this host, source and paths. */
function findParent(
  snapshots: readonly StoredSnapshot[],
  options: BackupOptions,
  now: number,
): StoredSnapshot | undefined {
  if (options.parent !== undefined) return snapshots.find(({ id }) => id === options.parent)
  const paths = pathsKey(options.paths.map((path) => toJsonBytes(path).base64))
  return snapshots.findLast(
    ({ snapshot }) =>
      snapshot.hostname === options.hostname &&
      snapshot.source === options.source.id &&
      pathsKey(snapshot.paths.map((path) => path.base64)) === paths &&
      // A snapshot from the future (a clock that was wrong) would hide changes.
      Date.parse(snapshot.time) <= now,
  )
}

function pathsKey(paths: readonly string[]): string {
  return [...paths].sort().join('\n')
}

function sourceOf(context: OperationContext, id: string): WorkerModule {
  const found = context.plugins.workerModule('source', id)
  if (found !== undefined) return found
  throw new BkpError('missing-plugin', `No installed plugin has the source "${id}"`, {
    hint: `${installHint('source', id)}. Sources that are there: ${context.plugins.idsOf('source').join(', ')}`,
  })
}

import type {
  BackupResult,
  DestinationCheck,
  DestinationOutcome,
  DestinationStatus,
  Issue,
  MigrationResult,
  ProbeResult,
  RestoreResult,
  SnapshotCopyResult,
  SnapshotSummary,
  SyncResult,
} from '@bkp/core'
import { jsonPath } from './text.js'

/**
 * Results as they stand in JSON, member by member: what is published in docs/schemas does not change because the engine
 * tells something more.
 */
type Json = Readonly<Record<string, unknown>>

export function issueJson({ kind, path, message }: Issue): Json {
  return { kind, ...jsonPath(path), message }
}

export function backupJson({ snapshotId, parentId, stats, issues, destinations, elapsedMs }: BackupResult): Json {
  const { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged } = stats
  const { newBlobs, newBytes, storedBytes, errors } = stats
  const counts = { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged }
  return {
    snapshot: snapshotId ?? null,
    parent: parentId ?? null,
    stats: { ...counts, newBlobs, newBytes, storedBytes, errors },
    issues: issues.map(issueJson),
    destinations: destinations.map(outcomeJson),
    elapsedMs,
  }
}

export function restoreJson(result: RestoreResult, target: string): Json {
  const { files, directories, others, bytes, skipped, deleted, verified, damaged, issues, fallOvers, elapsedMs } =
    result
  const counts = { files, directories, others, bytes, skipped, deleted, verified, damaged }
  const fellOver = fallOvers.map(({ from, to, objects, message }) => ({ from, to, objects, message }))
  return { target, ...counts, issues: issues.map(issueJson), fallOvers: fellOver, elapsedMs }
}

export function outcomeJson({ name, url, state, storedBytes, caughtUpObjects, message }: DestinationOutcome): Json {
  return { name, url, state, storedBytes, caughtUpObjects, ...(message === undefined ? {} : { message }) }
}

/** All destinations together, and each by itself. */
export function checkJson(results: readonly DestinationCheck[]): Json {
  const sum = (count: (result: DestinationCheck) => number) => results.reduce((total, one) => total + count(one), 0)
  const damages = results.flatMap(({ name, damages: found }) =>
    found.map(({ key, message, affects, intactAt }) => ({
      destination: name,
      key,
      message,
      affects: affects.map(jsonPath),
      ...(intactAt === undefined ? {} : { intactAt }),
    })),
  )
  const healed = results.flatMap(({ name, healed: found }) =>
    found.map(({ key, message, bytes }) => ({ destination: name, key, message, bytes })),
  )
  return {
    snapshots: Math.max(0, ...results.map(({ snapshots }) => snapshots)),
    packs: sum(({ packs }) => packs),
    packsRead: sum(({ packsRead }) => packsRead),
    blobs: sum(({ blobs }) => blobs),
    bytesRead: sum(({ bytesRead }) => bytesRead),
    damages,
    healed,
    unreferencedPacks: sum(({ unreferencedPacks }) => unreferencedPacks),
    destinations: results.map(({ name, url, snapshots, packs, damages: found, healed: mended, elapsedMs }) => {
      return { name, url, snapshots, packs, damages: found.length, healed: mended.length, elapsedMs }
    }),
    elapsedMs: sum(({ elapsedMs }) => elapsedMs),
  }
}

export function syncJson({ destinations, damaged, elapsedMs }: SyncResult, isDryRun: boolean): Json {
  const told = destinations.map(({ name, url, state, objects, bytes, message }) => {
    return { name, url, state, objects, bytes, ...(message === undefined ? {} : { message }) }
  })
  return {
    dryRun: isDryRun,
    destinations: told,
    damaged: damaged.map(({ key, message }) => ({ key, message })),
    elapsedMs,
  }
}

export function migrationJson(result: MigrationResult, from: string, to: string): Json {
  const { plan, state, copiedObjects, copiedBytes, replacedObjects, verifiedObjects, verifiedBytes } = result
  const { faults, elapsedMs } = result
  const { objects, bytes, objectsToCopy, bytesToCopy, requests, seconds, secondsToCopy, secondsToReadBack } = plan
  const { listAtSource, readAtSource, listAtTarget, writeAtTarget, readAtTarget } = requests
  return {
    from,
    to,
    state,
    plan: {
      objects,
      bytes,
      objectsToCopy,
      bytesToCopy,
      requests: { listAtSource, readAtSource, listAtTarget, writeAtTarget, readAtTarget },
      seconds: seconds ?? null,
      secondsToCopy: secondsToCopy ?? null,
      secondsToReadBack: secondsToReadBack ?? null,
    },
    copiedObjects,
    copiedBytes,
    replacedObjects,
    verifiedObjects,
    verifiedBytes,
    faults: faults.map(({ key, message }) => ({ key, message })),
    elapsedMs,
  }
}

export function probeJson(result: ProbeResult, name: string, url: string): Json {
  const { steps, uploadBytesPerSecond, downloadBytesPerSecond, latencyMs, clockSkewMs } = result
  const { canRemove, canReplace, leftBehind } = result
  return {
    name,
    url,
    works: steps.every(({ level }) => level !== 'problem'),
    canRemove,
    canReplace,
    uploadBytesPerSecond: uploadBytesPerSecond ?? null,
    downloadBytesPerSecond: downloadBytesPerSecond ?? null,
    latencyMs: latencyMs ?? null,
    clockSkewMs: clockSkewMs ?? null,
    steps: steps.map(({ name: step, level, message }) => ({ name: step, level, message })),
    leftBehind,
  }
}

export function statusJson(status: DestinationStatus): Json {
  const { name, url, message, snapshots, newestSnapshot, lagSnapshots, lagSeconds } = status
  const { objects, bytes, missingObjects, missingBytes, lastCheck } = status
  const check =
    lastCheck === undefined
      ? null
      : { time: lastCheck.time, readDataShare: lastCheck.readDataShare, damages: lastCheck.damages }
  return {
    name,
    url,
    message: message ?? null,
    snapshots: snapshots ?? null,
    newestSnapshot: newestSnapshot ?? null,
    lagSnapshots: lagSnapshots ?? null,
    lagSeconds: lagSeconds ?? null,
    objects: objects ?? null,
    bytes: bytes ?? null,
    missingObjects: missingObjects ?? null,
    missingBytes: missingBytes ?? null,
    lastCheck: check,
  }
}

export function snapshotJson(snapshot: SnapshotSummary): Json {
  const { id, time, hostname, username, program, source, paths, tags, parent, stats, issueCount, plugins } = snapshot
  return {
    id,
    time,
    hostname,
    username,
    program,
    source,
    paths: paths.map(jsonPath),
    tags,
    parent,
    stats,
    issueCount,
    plugins: plugins.map(({ port, id, package: name, version }) => ({ port, id, package: name, version })),
  }
}

export function copyJson({ snapshots, broken, stats, destinations, elapsedMs }: SnapshotCopyResult): Json {
  const { blobsRead, bytesRead, newBlobs, newBytes, storedBytes } = stats
  return {
    snapshots: snapshots.map(({ sourceId, targetId, time, hostname, paths, state, faults }) => ({
      source: sourceId,
      target: targetId ?? null,
      state,
      time,
      hostname,
      paths: paths.map(jsonPath),
      faults: faults.map(({ path, message }) => ({ ...jsonPath(path), message })),
    })),
    broken: broken.map(({ key, message }) => ({ key, message })),
    stats: { blobsRead, bytesRead, newBlobs, newBytes, storedBytes },
    destinations: destinations.map(outcomeJson),
    elapsedMs,
  }
}

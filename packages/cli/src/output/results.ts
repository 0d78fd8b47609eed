import type { BackupResult, CheckResult, Issue, RestoreResult, SnapshotSummary } from '@bkp/core'
import { jsonPath } from './text.js'

/**
 * Results as they stand in JSON, member by member: what is published in docs/schemas does not change because the engine
 * tells something more.
 */
type Json = Readonly<Record<string, unknown>>

export function issueJson({ kind, path, message }: Issue): Json {
  return { kind, ...jsonPath(path), message }
}

export function backupJson({ snapshotId, parentId, stats, issues, elapsedMs }: BackupResult): Json {
  const { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged } = stats
  const { newBlobs, newBytes, storedBytes, errors } = stats
  const counts = { files, directories, others, bytes, filesNew, filesChanged, filesUnchanged }
  return {
    snapshot: snapshotId ?? null,
    parent: parentId ?? null,
    stats: { ...counts, newBlobs, newBytes, storedBytes, errors },
    issues: issues.map(issueJson),
    elapsedMs,
  }
}

export function restoreJson(result: RestoreResult, target: string): Json {
  const { files, directories, others, bytes, skipped, deleted, verified, damaged, issues, elapsedMs } = result
  const counts = { files, directories, others, bytes, skipped, deleted, verified, damaged }
  return { target, ...counts, issues: issues.map(issueJson), elapsedMs }
}

export function checkJson(result: CheckResult): Json {
  const { snapshots, packs, packsRead, blobs, bytesRead, damages, unreferencedPacks, elapsedMs } = result
  const found = damages.map(({ key, message, affects }) => ({ key, message, affects: affects.map(jsonPath) }))
  return { snapshots, packs, packsRead, blobs, bytesRead, damages: found, unreferencedPacks, elapsedMs }
}

export function snapshotJson(snapshot: SnapshotSummary): Json {
  const { id, time, hostname, username, program, source, paths, tags, parent, stats, issueCount } = snapshot
  return { id, time, hostname, username, program, source, paths: paths.map(jsonPath), tags, parent, stats, issueCount }
}

import { compareTimestamps } from '../../format/json.js'
import type { Snapshot } from '../../format/snapshot.js'
import type { SnapshotPlugin } from '../../format/snapshot-plugins.js'
import type { StoredSnapshot } from '../../repository/snapshots.js'

/** Which snapshot of which repository something was in the beginning: copies of copies have one origin. */
export type Origin = string & { readonly kind: 'origin' }

export function originOf(repositoryId: string, { id, snapshot: { original } }: StoredSnapshot): Origin {
  return originAt(original?.repository ?? repositoryId, original?.snapshot ?? id)
}

export function originAt(repositoryId: string, snapshotId: string): Origin {
  return `${repositoryId}/${snapshotId}` as Origin
}

/** The snapshots of a repository by what they were in the beginning. */
export function byOrigin(repositoryId: string, snapshots: readonly StoredSnapshot[]): Map<Origin, StoredSnapshot> {
  return new Map(snapshots.map((stored) => [originOf(repositoryId, stored), stored]))
}

export interface CopiedParts {
  readonly repositoryId: string
  /** Hex ids of the root's trees in the target. */
  readonly tree: readonly string[]
  /** Hex id in the target. */
  readonly parent: string | null
  readonly program: string
  /** Those that the target is written with. */
  readonly plugins: readonly SnapshotPlugin[]
}

/** What stands in the target for a snapshot of the source. All that says when, where and what was read stays. */
export function describeCopy(
  stored: StoredSnapshot,
  { repositoryId, tree, parent, program, plugins }: CopiedParts,
): Snapshot {
  const { id, snapshot } = stored
  const { repository, snapshot: first } = snapshot.original ?? { repository: repositoryId, snapshot: id }
  const { plugins: before = [], ...rest } = snapshot
  // What the source was packed with is not in the target.
  const named = [...plugins, ...before.filter(({ port }) => port === 'source')]
  return {
    ...rest,
    tree,
    parent,
    original: { repository, snapshot: first, program },
    ...(named.length === 0 ? {} : { plugins: named }),
  }
}

/**
 * The snapshot from whose copy most can be learned about another: its parent, else the newest before it of the same machine
 * and paths, else the newest of all.
 * @param copied those that have a copy, the oldest first
 */
export function nearestCopied(wanted: StoredSnapshot, copied: readonly StoredSnapshot[]): StoredSnapshot | undefined {
  const parent = copied.find(({ id }) => id === wanted.snapshot.parent)
  const isLike = ({ snapshot }: StoredSnapshot) =>
    snapshot.hostname === wanted.snapshot.hostname && pathsOf(snapshot) === pathsOf(wanted.snapshot)
  const before = copied.filter(({ snapshot }) => compareTimestamps(snapshot.time, wanted.snapshot.time) <= 0)
  return parent ?? before.findLast(isLike) ?? copied.findLast(isLike) ?? copied.at(-1)
}

function pathsOf({ paths }: Snapshot): string {
  return paths
    .map(({ base64 }) => base64)
    .sort()
    .join('\n')
}

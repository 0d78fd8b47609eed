import { fromJsonBytes } from '../../format/snapshot.js'
import type { StoredSnapshot } from '../../repository/snapshots.js'
import type { SnapshotCopy } from '../api.js'

/** Which snapshot of the source is spoken of. */
export function described({
  id,
  snapshot,
}: StoredSnapshot): Pick<SnapshotCopy, 'sourceId' | 'time' | 'hostname' | 'paths'> {
  const { time, hostname } = snapshot
  const paths = snapshot.paths.map((path) => ({ text: path.text, bytes: fromJsonBytes(path) }))
  return { sourceId: id, time, hostname, paths }
}

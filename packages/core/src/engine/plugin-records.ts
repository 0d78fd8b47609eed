import { isSound, type SnapshotPlugin } from '../format/snapshot-plugins.js'
import type { StoredSnapshot } from '../repository/snapshots.js'
import type { CodecChoice } from './api.js'
import type { PluginAccess } from './plugin-access.js'

/** What a run writes with. */
export interface WrittenWith {
  readonly compression: CodecChoice
  readonly cipher: string
  /** Id of the source; of copies none is known. */
  readonly source?: string
}

/**
 * The member `plugins` of a new snapshot; absent when everything came with bkp. Codecs of earlier snapshots are carried on: the new one
 * stands on what these stored.
 *
 * @param earlier snapshots of the same repository, the oldest first
 */
export function recordPlugins(
  access: PluginAccess,
  { compression, cipher, source }: WrittenWith,
  earlier: readonly StoredSnapshot[],
): { readonly plugins?: readonly SnapshotPlugin[] } {
  const used = [
    ['compression', compression.id],
    ['encryption', cipher],
    ['source', source],
  ] as const
  const own = used.flatMap(([port, id]) => {
    const plugin = id === undefined ? undefined : access.workerModule(port, id)?.plugin
    if (id === undefined || plugin === undefined) return []
    return [{ port, id, package: plugin.packageName, version: plugin.version }]
  })
  const before = earlier.flatMap(({ snapshot }) => snapshot.plugins ?? []).filter(({ port }) => port !== 'source')
  // A package without a name (a folder of its author) cannot be told to anybody.
  const sound = [...before, ...own].filter(isSound)
  const byUse = new Map(sound.map((record) => [`${record.port} ${record.id}`, record]))
  return byUse.size === 0 ? {} : { plugins: [...byUse.values()] }
}

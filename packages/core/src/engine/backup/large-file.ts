import type { SourceEntry } from '@bkp/plugin-api'
import { EntryEncoder } from '../../format/tree-writer.js'
import { joinPath } from './paths.js'
import type { BackupTaskResult, DirectoryPlace } from './protocol.js'
import { describeEntry } from './save-entry.js'
import type { ScanContext, ScanDirectory } from './scan-context.js'

/** Files this large are cut in ranges, so that several threads can work on one. */
export const rangedFileBytes = 512 * 1024 * 1024
const rangeBytes = 256 * 1024 * 1024

/**
 * Gives the ranges of a file to whichever threads are free.
 * @returns its encoded entry, when all have been read; undefined for one with holes, which is read in one go
 */
export async function saveInRanges(
  context: ScanContext,
  place: DirectoryPlace,
  directory: ScanDirectory,
  entry: SourceEntry,
): Promise<{ readonly encoded: Promise<Uint8Array> } | undefined> {
  const details = await describeEntry(context, place, directory, entry)
  const probe = await directory.openFile(entry)
  const isSparse = probe.extents !== undefined
  await probe.close()
  if (isSparse) return undefined
  const path = joinPath(place.path, entry.name)
  const ranges: Promise<BackupTaskResult>[] = []
  for (let offset = 0; offset < entry.sizeBytes; offset += rangeBytes) {
    const range = { offset, length: Math.min(rangeBytes, entry.sizeBytes - offset) }
    ranges.push(context.offload({ kind: 'range', place, entry, range }))
  }
  const encoded = Promise.all(ranges).then((results) => {
    const encoder = new EntryEncoder()
    const sound = results.filter((result) => result.kind === 'range')
    encoder.add(
      entry,
      details,
      context.saver.join(sound, (kind, message) => context.issue(kind, path, message)),
    )
    return encoder.view().slice()
  })
  return { encoded }
}

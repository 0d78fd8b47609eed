import type { PackedListing } from '@bkp/plugin-api'
import { compareBytes } from '../../format/compare.js'
import { cacheDirectorySignature, cacheDirectoryTag, isExcludedPath } from './excludes.js'
import { joinPath } from './paths.js'
import type { DirectoryPlace } from './protocol.js'
import type { Listed } from './read-ahead.js'
import type { ScanContext, ScanDirectory } from './scan-context.js'

/**
 * What of a directory is backed up, sorted by name.
 * @param packed its listing, where the source has given one
 */
export async function listEntries(
  context: ScanContext,
  place: DirectoryPlace,
  directory: ScanDirectory,
  packed: PackedListing | undefined,
): Promise<readonly Listed[]> {
  const { options, excludes } = context
  const listing = packed?.entries() ?? directory.list()
  let entries = Array.isArray(listing) ? (listing as readonly Listed[]) : await listing
  if (!directory.isSorted) entries = [...entries].sort((a, b) => compareBytes(a.name, b.name))
  if (options.excludeCaches && (await isCache(directory, entries))) {
    entries = entries.filter((entry) => Buffer.from(entry.name).toString() === cacheDirectoryTag)
  }
  if (excludes.isEmpty && options.excludeLargerThanBytes === undefined) return entries
  return entries.filter((entry) => !isExcluded(context, place, entry))
}

function isExcluded({ excludes, options }: ScanContext, place: DirectoryPlace, entry: Listed): boolean {
  const { excludeLargerThanBytes: mostBytes } = options
  if (mostBytes !== undefined && entry.kind === 'file' && entry.sizeBytes > mostBytes) return true
  const path = joinPath(place.path, entry.name)
  return isExcludedPath(excludes, path, place.rootLength, entry.kind === 'directory')
}

async function isCache(directory: ScanDirectory, entries: readonly Listed[]): Promise<boolean> {
  const tag = entries.find((entry) => Buffer.from(entry.name).toString() === cacheDirectoryTag)
  if (tag?.kind !== 'file' || tag.sizeBytes < cacheDirectorySignature.length) return false
  const reader = await directory.openFile(tag)
  const start = Buffer.alloc(cacheDirectorySignature.length)
  const count = await reader.read(start)
  await reader.close()
  return count === start.length && start.toString('latin1') === cacheDirectorySignature
}

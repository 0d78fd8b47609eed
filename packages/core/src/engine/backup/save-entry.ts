import type { EntryDetails, SourceEntry } from '@bkp/plugin-api'
import type { TreeCursor } from '../../format/tree-cursor.js'
import type { EntryContent, EntryEncoder } from '../../format/tree-writer.js'
import { joinPath } from './paths.js'
import type { DirectoryPlace } from './protocol.js'
import type { ScanContext, ScanDirectory } from './scan-context.js'

/** Saves a file and encodes its entry; nothing is encoded when it vanished. */
export async function saveFile(
  context: ScanContext,
  place: DirectoryPlace,
  directory: ScanDirectory,
  entry: SourceEntry,
  encoder: EntryEncoder,
): Promise<void> {
  const path = joinPath(place.path, entry.name)
  context.current(path)
  const content: EntryContent | undefined = await context.saver.save(
    entry,
    () => directory.openFile(entry),
    (kind, message) => context.issue(kind, path, message),
  )
  if (content === undefined) return
  encoder.add(entry, await describeEntry(context, place, directory, entry), content)
}

export async function describeEntry(
  context: ScanContext,
  place: DirectoryPlace,
  directory: ScanDirectory,
  entry: SourceEntry,
): Promise<EntryDetails> {
  const describing = directory.describe(entry)
  const details = describing instanceof Promise ? await describing : describing
  for (const problem of details.problems ?? []) context.issue('not-kept', joinPath(place.path, entry.name), problem)
  return details
}

/** What an entry had in the parent, where it is as it was. */
export function detailsOf(known: TreeCursor): EntryDetails {
  const { userName, groupName, xattrs } = known
  return {
    ...(userName === undefined ? {} : { userName }),
    ...(groupName === undefined ? {} : { groupName }),
    ...(xattrs === undefined
      ? {}
      : { xattrs: xattrs.map(({ name, value }) => ({ name: name.slice(), value: value.slice() })) }),
  }
}

import type { EntryDetails, SourceEntry } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import { maxNameBytes } from './limits.js'
import { isLegalName, isSize, isTime, maxMode } from './tree-layout.js'
import type { EntryContent } from './tree-writer.js'

/**
 * Refuses what a reader of the tree would refuse, while the source that said it can still be named.
 * @throws BkpError `plugin-failed`
 */
export function requireLegal(entry: SourceEntry, details: EntryDetails, content: EntryContent): void {
  const { name } = entry
  if (!isLegalName(name)) throw refused('an illegal name', name)
  if (!isSize(content.sizeBytes ?? entry.sizeBytes)) throw refused('an impossible size', name)
  if (!(entry.mode >= 0 && entry.mode <= maxMode)) throw refused('mode bits that are no permissions', name)
  if (!isTime(entry.mtimeSeconds, entry.mtimeNanoseconds) || !isTime(entry.ctimeSeconds, entry.ctimeNanoseconds))
    throw refused('an impossible time', name)
  for (const xattr of details.xattrs ?? []) {
    if (xattr.name.length === 0 || xattr.name.length > maxNameBytes) throw refused('an illegal attribute name', name)
  }
  let end = 0
  for (const { offset, length } of content.extents ?? []) {
    if (!isSize(offset) || !isSize(offset + length) || offset < end || length === 0)
      throw refused('impossible extents', name)
    end = offset + length
  }
}

export function refused(what: string, name: Uint8Array): BkpError {
  return new BkpError('plugin-failed', `The source gave ${what} for ${shown(name)}`, {
    hint: 'This is a fault of the plugin that reads the source',
  })
}

/** A name as messages show it. */
export function shown(name: Uint8Array): string {
  return JSON.stringify(Buffer.from(name.subarray(0, 256)).toString())
}

import type { StoredObject } from '@bkp/plugin-api'
import type { FileEntry } from 'ssh2'
import { isFolder, join, linkRefused, look, undefinedIfMissing } from './folders.js'
import { isKey } from './keys.js'
import type { Session } from './session.js'

export interface ListingAccess {
  /** Runs something on one of the connections. */
  run<T>(action: (session: Session) => Promise<T>): Promise<T>
  /** Refuses a folder that is a link. */
  check(session: Session, folder: string): Promise<void>
  readonly signal: AbortSignal | undefined
}

/** Folders that are read at once. */
const parallelFolders = 8

/** Walks the folders that may hold keys with this prefix. */
export async function* listObjects(prefix: string, root: string, access: ListingAccess): AsyncGenerator<StoredObject> {
  const start = prefix.slice(0, prefix.lastIndexOf('/') + 1)
  if (start !== '' && !isKey(start.slice(0, -1))) return
  const waiting = [start]
  const reading = new Map<string, Promise<{ readonly folder: string; readonly entries: readonly Found[] }>>()
  const begin = () => {
    while (reading.size < parallelFolders) {
      const folder = waiting.pop()
      if (folder === undefined) return
      const read = async () => ({ folder, entries: await readOne(folder, prefix, root, access) })
      reading.set(folder, read())
    }
  }
  for (begin(); reading.size > 0; begin()) {
    // A race listens to all of them: whoever leaves early leaves no rejection that nobody handles.
    const { folder, entries } = await Promise.race(reading.values())
    reading.delete(folder)
    for (const found of entries) {
      access.signal?.throwIfAborted()
      if (found.kind === 'folder') waiting.push(`${found.key}/`)
      else yield { key: found.key, sizeBytes: found.sizeBytes }
    }
  }
}

type Found =
  | { readonly kind: 'folder'; readonly key: string }
  | { readonly kind: 'object'; readonly key: string; readonly sizeBytes: number }

function readOne(folder: string, prefix: string, root: string, access: ListingAccess): Promise<readonly Found[]> {
  return access.run(async (session) => {
    await access.check(session, folder.slice(0, -1))
    const path = join(root, folder.slice(0, -1))
    const entries = (await session.readFolder(path).catch(undefinedIfMissing)) ?? []
    const found: Found[] = []
    for (const entry of entries) {
      const key = `${folder}${entry.filename}`
      if (!key.startsWith(prefix) || !isKey(key)) continue
      const { kind, sizeBytes } = await kindOf(entry, join(root, key), session)
      if (kind === 'folder') found.push({ kind, key })
      if (kind === 'file') found.push({ kind: 'object', key, sizeBytes })
      if (kind === 'link' && (await isFolder(session, join(root, key)))) throw linkRefused(join(root, key))
    }
    return found
  })
}

/** Of modes, the bits that tell what something is; the same for all servers. */
const kindBits = 0o170000
const kinds = new Map<number, 'file' | 'folder' | 'link'>([
  [0o100000, 'file'],
  [0o040000, 'folder'],
  [0o120000, 'link'],
])

async function kindOf({ attrs }: FileEntry, path: string, session: Session) {
  // Some servers leave the mode out of what they list.
  const stats = attrs.mode === undefined ? await look(session, path) : attrs
  return { kind: kinds.get((stats?.mode ?? 0) & kindBits) ?? 'other', sizeBytes: stats?.size ?? 0 }
}

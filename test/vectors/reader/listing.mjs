import { isUtf8 } from 'node:buffer'
import { contentHash, walk } from './walk.mjs'

/** Byte strings that need not be UTF-8: text where it is exact, else base64. */
export const portable = (bytes) => (isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') })

const MEMBERS = {
  changed: (entry) => entry.changed || undefined,
  user: (entry) => entry.user,
  group: (entry) => entry.group,
  xattrs: (entry) => entry.xattrs?.map(({ name, value }) => [portable(name), value.toString('base64')]),
  target: (entry) => entry.target && portable(entry.target),
  device: (entry) => entry.device && [entry.device.major, entry.device.minor],
  extents: (entry) => entry.extents?.map(({ offset, length }) => [offset, length]),
  error: (entry) => entry.error,
  links: (entry) => entry.hardLink && Number(entry.hardLink.links),
}

/** One JSON object for every entry of the snapshot. Numbers of 64 bits are decimal strings. */
export async function listing(repository, snapshot) {
  const result = []
  const firstOf = new Map()
  for await (const { path, entry } of walk(repository, snapshot.tree)) {
    const line = {
      path: portable(path),
      type: entry.kind,
      mode: entry.mode.toString(8).padStart(4, '0'),
      uid: entry.uid,
      gid: entry.gid,
      mtimeNs: String(entry.mtime),
      ctimeNs: String(entry.ctime),
      size: entry.size,
      inode: String(entry.inode),
    }
    for (const [name, get] of Object.entries(MEMBERS)) {
      const value = get(entry)
      if (value !== undefined) line[name] = value
    }
    if (entry.hardLink) {
      const identity = `${entry.hardLink.device} ${entry.inode}`
      if (firstOf.has(identity)) line.sameFileAs = firstOf.get(identity)
      else firstOf.set(identity, line.path)
    }
    if (entry.kind === 'file' && entry.error === undefined) line.sha256 = await contentHash(repository, entry)
    result.push(line)
  }
  return result
}

import { constants, type Stats } from 'node:fs'
import { type FileHandle, lstat, open, opendir, stat, unlink } from 'node:fs/promises'
import { PortError } from '@bkp/plugin-api'

export interface FolderEntry {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'other'
}

/** Whether a system call failed because nothing is there, or because a file lies where a folder would have to be. */
export function isMissing(error: unknown): boolean {
  return isSystemError(error, 'ENOENT') || isSystemError(error, 'ENOTDIR')
}

export function isSystemError(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === code
}

/** Makes a file that is on the disk when this resolves. */
export async function writeDurably(path: string, data: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  try {
    await file.writeFile(data, signal === undefined ? {} : { signal })
    await file.datasync().catch(ignoreIfUnknown)
  } finally {
    await file.close()
  }
}

/** @throws EEXIST when anything is there */
export async function makeEmpty(path: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600)
  await file.close()
}

/** Opens a regular file. @returns undefined for anything else */
export async function openObject(path: string): Promise<{ file: FileHandle; sizeBytes: number } | undefined> {
  const opened = await openUnlessLink(path)
  if (opened === undefined) return undefined
  const found = await opened.stat()
  if (found.isFile()) return { file: opened, sizeBytes: found.size }
  await opened.close()
  return undefined
}

async function openUnlessLink(path: string): Promise<FileHandle | undefined> {
  // Without O_NONBLOCK, a FIFO would keep us waiting for a writer. Windows knows neither flag.
  const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants
  try {
    return await open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW)
  } catch (error) {
    // ELOOP is a link, ENXIO a socket.
    if (isMissing(error) || isSystemError(error, 'ELOOP') || isSystemError(error, 'ENXIO')) return undefined
    throw error
  }
}

/** Fills all of `bytes`. */
export async function readFully(file: FileHandle, offset: number, bytes: Uint8Array, key: string): Promise<Uint8Array> {
  const { length } = bytes
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) throw new PortError('transient', `${key} became shorter while it was read`)
    done += bytesRead
  }
  return bytes
}

/** Makes names in a folder durable. Not every system can open a folder; there the name is as durable as it gets. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, 'r')
  try {
    await folder.sync().catch(ignoreIfUnknown)
  } finally {
    await folder.close()
  }
}

/** Some shares and FUSE file systems know no fsync, and say so: what they store is as durable as it gets. */
function ignoreIfUnknown(error: unknown): void {
  const isUnknown = ['EINVAL', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].some((code) => isSystemError(error, code))
  if (!isUnknown) throw error
}

/** What lies in a folder; nothing when it is missing. */
export async function readFolder(path: string): Promise<readonly FolderEntry[]> {
  const entries: FolderEntry[] = []
  try {
    for await (const entry of await opendir(path)) {
      const kind = entry.isFile() ? 'file' : entry.isDirectory() ? 'folder' : entry.isSymbolicLink() ? 'link' : 'other'
      entries.push({ name: entry.name, kind })
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  return entries
}

/** What lies at a path itself, also when that is a link. */
export async function look(path: string): Promise<Stats | undefined> {
  return lstat(path).catch(undefinedIfMissing)
}

/** Whether a path leads to a folder, also by way of links. */
export async function isFolder(path: string): Promise<boolean> {
  return (await lookAtRoot(path)) !== undefined
}

/** Which folder it is, of which file system. */
export type RootIdentity = Pick<Stats, 'dev' | 'ino'>

/** @returns undefined where a path does not lead to a folder, also by way of links */
export async function lookAtRoot(path: string): Promise<RootIdentity | undefined> {
  const found = await stat(path).catch(undefinedIfMissing)
  return found?.isDirectory() ? found : undefined
}

function undefinedIfMissing(error: unknown): undefined {
  if (isMissing(error)) return undefined
  throw error
}

/** Removes a file. Not by node's `rm`, which takes a refusal (EPERM) for a folder and fails as if nothing were there. */
export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(undefinedIfMissing)
}

import { B2Failure, ConnectionFailure } from './failures.js'
import type { Session } from './session.js'

/** Class C is billed by the thousand, and a name rarely has more than a few versions. */
const pageSize = 1000

interface FileVersion {
  readonly fileName: string
  readonly fileId: string
  readonly action: string
}

/** Every version of one name, the oldest last; unfinished large files are left to whoever writes them. (Class C.) */
export async function versionsOf(session: Session, bucketId: string, name: string, signal?: AbortSignal) {
  const versions: FileVersion[] = []
  let start: Record<string, unknown> = { startFileName: name }
  for (;;) {
    const asked = { bucketId, prefix: name, maxFileCount: pageSize, ...start }
    const page = await session.call('b2_list_file_versions', asked, signal)
    const { files, nextFileName, nextFileId } = page as Record<string, unknown>
    if (!Array.isArray(files)) throw new ConnectionFailure(new Error('B2 gives no list of versions'))
    const own = (files as FileVersion[]).filter((file) => file.fileName === name)
    versions.push(...own.filter(({ action }) => action === 'upload' || action === 'hide'))
    // Names that go on come behind.
    if (nextFileName !== name) return versions
    start = { startFileName: name, startFileId: nextFileId }
  }
}

/** Class A: free. What is gone already counts as deleted. */
export async function deleteVersion(session: Session, fileName: string, fileId: string, signal?: AbortSignal) {
  try {
    await session.call('b2_delete_file_version', { fileName, fileId }, signal)
  } catch (error) {
    if (!hasCode(error, ['file_not_present', 'no_such_file', 'not_found'])) throw error
  }
}

/** Class A: free. What is hidden or was never there counts as hidden. */
export async function hide(session: Session, bucketId: string, fileName: string, signal?: AbortSignal) {
  try {
    await session.call('b2_hide_file', { bucketId, fileName }, signal)
  } catch (error) {
    if (!hasCode(error, ['already_hidden', 'no_such_file', 'file_not_present', 'not_found'])) throw error
  }
}

function hasCode(error: unknown, codes: readonly string[]): boolean {
  return error instanceof B2Failure && codes.includes(error.code)
}

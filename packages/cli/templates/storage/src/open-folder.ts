import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { PortError, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { failed, isGone } from './failures.js'
import { FolderStorage } from './folder-storage.js'
import { removeLeftovers } from './temporary-files.js'

/** Opens `{{id}}:///path/of/a/folder`. */
export async function openFolder({ url, configuration, intent }: StorageRequest): Promise<Storage> {
  const root = folderOf(url)
  if (intent === 'create')
    await mkdir(root, { recursive: true }).catch((cause) => failed(`${root} cannot be made`, cause))
  await requireFolder(root)
  await removeLeftovers(root)
  return new FolderStorage(root, Number.parseInt(String(configuration.mode ?? '600'), 8))
}

function folderOf(url: string): string {
  const path = url.replace(/^[^:]+:/, '')
  if (!path.startsWith('///'))
    throw new PortError('config', `${url} names no folder`, { hint: 'Write {{id}}:///path/of/a/folder' })
  return fileURLToPath(`file:${path}`)
}

// A disk that is not mounted must not look like an empty repository.
async function requireFolder(root: string): Promise<void> {
  try {
    if ((await stat(root)).isDirectory()) return
  } catch (cause) {
    if (!isGone(cause)) failed(`${root} cannot be opened`, cause)
  }
  throw new PortError('not-found', `There is no folder ${root}`, {
    hint: 'Check that its disk is mounted',
  })
}

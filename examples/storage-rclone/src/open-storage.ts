import { isPortError, isSecret, PortError, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { parseLocation } from './location.js'
import { RcloneApi } from './rclone-api.js'
import { startRclone } from './rclone-process.js'
import { type Publication, RcloneStorage } from './rclone-storage.js'

/** Starts an rclone for this storage alone, and looks whether the place is there. */
export async function openRcloneStorage({ url, configuration, intent, log }: StorageRequest): Promise<Storage> {
  const fs = parseLocation(url)
  const { program = 'rclone', config, configPassword } = configuration
  const rclone = await startRclone(
    {
      program: String(program),
      config: config === undefined ? undefined : String(config),
      configPassword: isSecret(configPassword) ? configPassword : undefined,
    },
    log,
  )
  const api = new RcloneApi(rclone)
  try {
    const publication = await publicationOf(api, fs)
    if (intent === 'create') await api.run('operations/mkdir', { fs, remote: '' }, { what: `Cannot make ${fs}` })
    else await expectPlace(api, fs)
    return new RcloneStorage({ api, rclone, fs, publication, log })
  } catch (error) {
    api.close()
    await rclone.close()
    throw error
  }
}

/** How an object gets into its place whole or not at all depends on what stands behind the remote. */
async function publicationOf(api: RcloneApi, fs: string): Promise<Publication> {
  const { Features } = await api.run('operations/fsinfo', { fs }, { what: `Cannot use ${fs}` })
  const { BucketBased, IsLocal, Move } = Features as Readonly<Record<string, boolean>>
  if (BucketBased) return 'upload'
  if (IsLocal) return 'rename'
  if (Move) return 'rename-new'
  throw new PortError('unsupported', `${fs} is no place for a repository: it can neither rename nor store at one go`, {
    hint: 'Look for "Move" in the table of https://rclone.org/overview/#optional-features',
  })
}

/** A bucket or a folder that is missing, a disk that is not mounted for one, must not look empty. */
async function expectPlace(api: RcloneApi, fs: string): Promise<void> {
  try {
    await api.run('operations/list', { fs, remote: '', opt: { noModTime: true } }, { what: `Cannot open ${fs}` })
  } catch (error) {
    if (!isPortError(error, 'not-found')) throw error
    throw new PortError('not-found', `There is no ${fs}`, {
      hint: 'Check the path, and that the disk or the share behind it is there',
      cause: error,
    })
  }
}

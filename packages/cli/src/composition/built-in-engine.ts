import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Engine } from '@bkp/core'
import type { NotifierDescription, StorageDescription } from '@bkp/core/config'
import type { ReadManifests } from '@bkp/core/plugins'
import type { IdleThread } from '@bkp/core/threads'
import type { CommandLog } from './command-log.js'
import { pluginCallMsOf, workersOf } from './number-settings.js'
import type { Confirm } from './process-parts.js'
import { userFolders } from './user-folders.js'

/** The plugins that come with bkp. The only place that names them. */
export const builtInPlugins = [
  '@bkp/storage-local',
  '@bkp/storage-s3',
  '@bkp/storage-b2',
  '@bkp/storage-sftp',
  '@bkp/storage-webdav',
  '@bkp/source-fs',
  '@bkp/source-command',
  '@bkp/codec-zstd',
  '@bkp/codec-deflate',
  '@bkp/cipher-aes-gcm',
  '@bkp/cipher-xchacha20',
  '@bkp/notifier-command',
  '@bkp/notifier-webhook',
]

/** How much may wait on this disk for slow destinations. */
const spoolBytes = 2 * 1024 ** 3

/** An engine over the built-in plugins and those that the user installed. */
export async function createBuiltInEngine(
  env: Record<string, string | undefined>,
  log: CommandLog,
  takeIdleThreads: () => readonly IdleThread[],
  confirm: Confirm | undefined,
  approvedPlugins: ReadManifests,
): Promise<Engine> {
  const { createEngine } = await import('@bkp/core')
  const bundledPluginDirectories = builtInPlugins.map(folderOf)
  const workers = workersOf(env)
  const pluginCallMs = pluginCallMsOf(env)
  const options = {
    ...(workers === undefined ? {} : { workers }),
    ...(pluginCallMs === undefined ? {} : { pluginCallMs }),
    ...(confirm === undefined ? {} : { confirm }),
    ...(log.onLine === undefined ? {} : { onLogLine: log.onLine }),
    ...(log.onPluginHeld === undefined ? {} : { onPluginHeld: log.onPluginHeld }),
  }
  const { cache, state } = userFolders(env)
  const spool = { directory: join(cache, 'spool'), limitBytes: spoolBytes }
  const folders = { spool, stateDirectory: state, cacheDirectory: cache }
  return createEngine(
    { pluginDirectories: [], bundledPluginDirectories, approvedPlugins, takeIdleThreads, env, ...folders, ...options },
    log,
  )
}

/** The storages of the built-in plugins and of those that the user installed, with the options that they take. */
export async function builtInStorages(approved?: ReadManifests): Promise<readonly StorageDescription[]> {
  const { describeStorages } = await import('@bkp/core/config')
  const bundled = builtInPlugins.filter((name) => name.startsWith('@bkp/storage-')).map(folderOf)
  return describeStorages({ bundled, installed: [], ...(approved === undefined ? {} : { approved }) })
}

/** The notifiers of the built-in plugins and of those that the user installed, with the options that they take. */
export async function builtInNotifiers(approved?: ReadManifests): Promise<readonly NotifierDescription[]> {
  const { describeNotifiers } = await import('@bkp/core/config')
  const bundled = builtInPlugins.filter((name) => name.startsWith('@bkp/notifier-')).map(folderOf)
  return describeNotifiers({ bundled, installed: [], ...(approved === undefined ? {} : { approved }) })
}

/** Folder of a package that comes with bkp. */
export function folderOf(name: string): string {
  return dirname(fileURLToPath(import.meta.resolve(`${name}/package.json`)))
}

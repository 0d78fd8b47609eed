import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { InstalledPlugin, ReadManifests } from '@bkp/core/plugins'
import type { PluginManager } from '../plugins/plugin-manager.js'
import { builtInPlugins, folderOf } from './built-in-engine.js'
import { userFolders } from './user-folders.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Parts of bkp that are no plugins; a plugin with such a name would only mislead. */
const ownPackages = ['bkp', '@bkp/core', '@bkp/plugin-api', '@bkp/testkit']

async function bundled(): Promise<readonly InstalledPlugin[]> {
  const { readManifest } = await import('@bkp/core/plugins')
  return Promise.all(builtInPlugins.map((name) => readManifest(folderOf(name), true, () => undefined)))
}

/** The plugins that the user installed and approved. Where there are none, nothing is loaded. */
export async function installedPlugins(env: Environment, warn: (message: string) => void): Promise<ReadManifests> {
  const { data } = userFolders(env)
  if (!existsSync(join(data, 'plugins.lock.json')) && !existsSync(join(data, 'plugins')))
    return { plugins: [], faulty: [] }
  const { loadApprovedPlugins } = await import('@bkp/core/plugins')
  return loadApprovedPlugins(data, warn)
}

export async function createPluginManager(env: Environment): Promise<PluginManager> {
  const { PluginManager } = await import('../plugins/plugin-manager.js')
  return new PluginManager({
    dataDirectory: userFolders(env).data,
    bundled,
    reserved: [...builtInPlugins, ...ownPackages],
    pluginApi: folderOf('@bkp/plugin-api'),
    env,
    now: Date.now,
  })
}

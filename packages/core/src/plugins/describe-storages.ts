import type { NotifierDescription, StorageDescription } from '../config/model.js'
import { settleConflicts } from './claims.js'
import { type InstalledPlugin, type PluginDirectories, readManifests } from './manifest.js'

/** What the storages are and which options they take, from the manifests alone. Plugins that cannot be used are left out. */
export async function describeStorages(directories: PluginDirectories): Promise<readonly StorageDescription[]> {
  return (await usable(directories)).flatMap(({ manifest }) =>
    (manifest.contributes.storage ?? []).map(({ id, schemes, configuration }) => ({
      id,
      displayName: manifest.displayName,
      schemes,
      ...(configuration === undefined ? {} : { schema: configuration }),
    })),
  )
}

/** As `describeStorages`. */
export async function describeNotifiers(directories: PluginDirectories): Promise<readonly NotifierDescription[]> {
  return (await usable(directories)).flatMap(({ manifest }) =>
    (manifest.contributes.notifier ?? []).map(({ id, configuration }) => ({
      id,
      displayName: manifest.displayName,
      ...(configuration === undefined ? {} : { schema: configuration }),
    })),
  )
}

async function usable(directories: PluginDirectories): Promise<readonly InstalledPlugin[]> {
  const { plugins } = await readManifests(directories, () => undefined)
  return settleConflicts(plugins).plugins
}

import type { StorageDescription } from '../config/model.js'
import { type PluginDirectories, readManifests } from './manifest.js'

/**
 * What the storages are and which options they take, from the manifests alone.
 * @throws BkpError `plugin-failed`
 */
export async function describeStorages(directories: PluginDirectories): Promise<readonly StorageDescription[]> {
  const plugins = await readManifests(directories, () => undefined)
  return plugins.flatMap(({ manifest }) =>
    (manifest.contributes.storage ?? []).map(({ id, schemes, configuration }) => ({
      id,
      displayName: manifest.displayName,
      schemes,
      ...(configuration === undefined ? {} : { schema: configuration }),
    })),
  )
}

import type { InstalledPlugin } from '@bkp/core/plugins'
import type { PluginManifest } from '@bkp/plugin-api'
import { apiVersion } from '@bkp/plugin-api'
import { CliError } from '../errors/cli-error.js'

/**
 * Whether a package is a plugin that this bkp can use, from its package.json alone.
 * @param files paths inside of the package
 * @param reserved names of packages that are part of bkp
 * @param others plugins that are there already, but not an earlier version of this one
 * @throws CliError saying what is wrong
 */
export async function examine(
  packageJson: Readonly<Record<string, unknown>>,
  files: readonly string[],
  reserved: readonly string[],
  others: readonly InstalledPlugin[],
): Promise<PluginManifest> {
  const { claimsOf, entryOf, faultsOf, fitsApi, isPackageName, settleConflicts } = await import('@bkp/core/plugins')
  const { name, version, bkp } = packageJson
  const refusal = (reason: string, hint: string) =>
    new CliError('failure', `${String(name)} cannot be installed: ${reason}`, hint)
  if (typeof name !== 'string' || !isPackageName(name) || typeof version !== 'string')
    throw refusal('its package.json has no valid name and version', 'Ask its author')
  if (reserved.includes(name)) throw refusal('that is the name of a part of bkp', 'A plugin needs a name of its own')
  if (bkp === undefined)
    throw refusal('it is no plugin of bkp: its package.json has no key "bkp"', 'Check the name of the package')
  const faults = await faultsOf(bkp)
  if (faults.length > 0) throw refusal(`its manifest is not valid: ${faults.join('; ')}`, 'Ask its author')
  const manifest = bkp as PluginManifest
  if (!fitsApi(manifest.api))
    throw refusal(
      `it is written for plugin API ${manifest.api}, and this bkp has ${apiVersion}`,
      'Install a version of it that fits, or another version of bkp',
    )
  const modules = modulesOf(manifest, entryOf(packageJson))
  const missing = modules.find((path) => !files.includes(path.replace(/^\.\//, '')))
  if (missing !== undefined)
    throw refusal(
      `${missing} is not in the package`,
      'It may have to be built first: install what its author publishes, or a tarball made by npm pack after the build',
    )
  const plugin = { directory: '', packageName: name, version, main: '', manifest }
  const { refused, contested } = settleConflicts([...others, plugin])
  const conflict =
    refused.find((one) => one.plugin === plugin)?.error ??
    claimsOf(manifest)
      .map((claim) => contested.get(claim))
      .find((error) => error !== undefined)
  if (conflict !== undefined)
    throw refusal(conflict.message, 'Uninstall the other one first, if it is not a part of bkp')
  return manifest
}

/** Files that bkp will import. */
function modulesOf({ contributes }: PluginManifest, entry: string): readonly string[] {
  const { storage = [], notifier = [], compression = [], encryption = [], source = [] } = contributes
  const workers = [...compression, ...encryption, ...source].map(({ module }) => module)
  return storage.length + notifier.length === 0 ? workers : [entry, ...workers]
}

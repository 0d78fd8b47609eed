import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { apiVersion, isPlugin, type Logger, type NotifierFactory, type StorageFactory } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import { withinActivation } from './containment/activation-limit.js'
import { type PluginGuard, pluginFailed } from './containment/plugin-guard.js'
import type { InstalledPlugin } from './manifest.js'

/** What a plugin has registered, by id. */
export interface Registered {
  readonly storage: ReadonlyMap<string, StorageFactory>
  readonly notifier: ReadonlyMap<string, NotifierFactory>
}

/**
 * Imports the code of a plugin and lets it register what its manifest declares, no more and no less.
 * @param guard of a plugin that did not come with bkp
 * @throws BkpError `plugin-failed` naming the plugin
 */
export async function activate(plugin: InstalledPlugin, log: Logger, guard?: PluginGuard): Promise<Registered> {
  const { packageName, manifest } = plugin
  const declared = (port: keyof Registered) => (manifest.contributes[port] ?? []).map(({ id }) => id)
  const registered = {
    storage: new Map<string, StorageFactory>(),
    notifier: new Map<string, NotifierFactory>(),
  }
  const refuseUndeclared = (port: keyof Registered, id: string) => {
    if (!declared(port).includes(id))
      throw new TypeError(`it registers the ${port} "${id}", which its manifest does not declare`)
  }
  const running = async () => {
    const loaded = (await import(pathToFileURL(join(plugin.directory, plugin.main)).href)) as { default?: unknown }
    if (!isPlugin(loaded.default)) throw new TypeError('its default export was not made by definePlugin')
    await loaded.default.activate({
      apiVersion,
      log,
      registerStorage: (id, factory) => {
        refuseUndeclared('storage', id)
        registered.storage.set(id, factory)
      },
      registerNotifier: (id, factory) => {
        refuseUndeclared('notifier', id)
        registered.notifier.set(id, factory)
      },
    })
  }
  try {
    await withinActivation(packageName, 'activate', guard === undefined ? running() : guard.run(running))
  } catch (error) {
    if (error instanceof BkpError) throw error
    throw pluginFailed(packageName, error instanceof Error ? error.message : String(error), error)
  }
  for (const port of ['storage', 'notifier'] as const) {
    const missing = declared(port).find((id) => !registered[port].has(id))
    if (missing !== undefined)
      throw pluginFailed(packageName, `it declares the ${port} "${missing}" and does not register it`)
  }
  return registered
}

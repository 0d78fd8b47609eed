import {
  isPlugin,
  type Logger,
  type Notifier,
  type NotifierRequest,
  type Storage,
  type StorageRequest,
} from '@bkp/plugin-api'
import { createPluginContext, silentLog, type TestPluginContext } from './plugin-context.js'

/** Which storage of a plugin to open, and how; what is left out is as in the simplest case. */
export interface OpenStorageOptions extends Partial<Omit<StorageRequest, 'url'>> {
  readonly url: string
  /** Needed only where the plugin has several. */
  readonly id?: string
}

/** Which notifier of a plugin to make, and how. */
export interface OpenNotifierOptions extends Partial<NotifierRequest> {
  /** Needed only where the plugin has several. */
  readonly id?: string
}

/**
 * Opens a storage of a plugin as core does: activates it, finds the factory, calls it. The configuration is passed as it
 * is: give secrets as `new Secret(…)`, and defaults of the schema yourself.
 *
 * @param plugin default export of the plugin's entry
 * @throws TypeError when it is no plugin or has no such storage; what the plugin throws
 */
export async function openStorageOf(plugin: unknown, options: OpenStorageOptions): Promise<Storage> {
  const { id, url, configuration = {}, intent = 'open', log = silentLog, confirm } = options
  const { storages } = await activated(plugin, log)
  const factory = chosen(storages, 'storage', id)
  return factory({ url, configuration, intent, log, ...(confirm === undefined ? {} : { confirm }) })
}

/**
 * Makes a notifier of a plugin as core does.
 *
 * @param plugin default export of the plugin's entry
 * @throws TypeError when it is no plugin or has no such notifier; what the plugin throws
 */
export async function openNotifierOf(plugin: unknown, options: OpenNotifierOptions = {}): Promise<Notifier> {
  const { id, configuration = {}, log = silentLog } = options
  const { notifiers } = await activated(plugin, log)
  return chosen(notifiers, 'notifier', id)({ configuration, log })
}

async function activated(plugin: unknown, log: Logger): Promise<TestPluginContext> {
  if (!isPlugin(plugin)) throw new TypeError('This is no plugin: its entry has to export default definePlugin({ … })')
  const context = createPluginContext({ log })
  await plugin.activate(context)
  return context
}

function chosen<T>(factories: ReadonlyMap<string, T>, port: string, id: string | undefined): T {
  const ids = [...factories.keys()]
  const wanted = id ?? (ids.length === 1 ? ids[0] : undefined)
  const factory = wanted === undefined ? undefined : factories.get(wanted)
  if (factory !== undefined) return factory
  const known = ids.length === 0 ? 'it registers none' : `it registers ${ids.join(', ')}`
  throw new TypeError(id === undefined ? `Which ${port}? ${known}` : `The plugin has no ${port} "${id}": ${known}`)
}

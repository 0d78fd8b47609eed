import type { Logger, Notifier, NotifierRequest, Storage, StorageRequest } from '@bkp/plugin-api'
import { activate, type Registered } from './activate.js'
import type { InstalledPlugin } from './manifest.js'

/** The code of a plugin, activated. */
export interface PluginCode {
  /** @throws PortError; BkpError `plugin-failed` */
  openStorage(id: string, request: StorageRequest): Promise<Storage>
  /** @throws PortError; BkpError `plugin-failed` */
  openNotifier(id: string, request: NotifierRequest): Promise<Notifier>
}

/** Code that came with bkp: it runs in the main thread, and nothing stands between. */
export class OwnCode implements PluginCode {
  readonly #registered: Registered

  private constructor(registered: Registered) {
    this.#registered = registered
  }

  static async activate(plugin: InstalledPlugin, log: Logger): Promise<OwnCode> {
    return new OwnCode(await activate(plugin, log))
  }

  openStorage(id: string, request: StorageRequest): Promise<Storage> {
    return registered(this.#registered.storage, id)(request)
  }

  async openNotifier(id: string, request: NotifierRequest): Promise<Notifier> {
    return registered(this.#registered.notifier, id)(request)
  }
}

/** Activating has seen to it that all is there that the manifest declares. */
export function registered<T>(factories: ReadonlyMap<string, T>, id: string): T {
  const factory = factories.get(id)
  if (factory === undefined) throw new Error(`Nothing was registered as ${id}`)
  return factory
}

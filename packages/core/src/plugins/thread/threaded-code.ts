import type { Notification, Notifier, NotifierRequest, NotifyOptions, Storage, StorageRequest } from '@bkp/plugin-api'
import type { PluginCode } from '../plugin-code.js'
import type { PluginThread } from './plugin-thread.js'
import { sendConfiguration } from './sent-configuration.js'
import { ThreadedStorage } from './threaded-storage.js'

/** Code of a plugin that did not come with bkp: it runs in a thread of its own. */
export class ThreadedCode implements PluginCode {
  readonly #thread: PluginThread

  private constructor(thread: PluginThread) {
    this.#thread = thread
  }

  static async activate(thread: PluginThread): Promise<ThreadedCode> {
    await thread.call('activate', [])
    return new ThreadedCode(thread)
  }

  async openStorage(id: string, { url, intent, configuration, confirm }: StorageRequest): Promise<Storage> {
    const canAsk = confirm !== undefined
    const request = { url, intent, configuration: sendConfiguration(configuration), canAsk }
    return new ThreadedStorage(this.#thread, await this.#thread.call('openStorage', [id, request], { confirm }))
  }

  async openNotifier(id: string, { configuration }: NotifierRequest): Promise<Notifier> {
    const handle = await this.#thread.call('openNotifier', [id, sendConfiguration(configuration)])
    return new ThreadedNotifier(this.#thread, handle)
  }
}

class ThreadedNotifier implements Notifier {
  readonly #thread: PluginThread
  readonly #handle: number

  constructor(thread: PluginThread, handle: number) {
    this.#thread = thread
    this.#handle = handle
  }

  async notify(notification: Notification, { signal }: NotifyOptions): Promise<void> {
    await this.#thread.call('notify', [this.#handle, notification], { signal })
  }

  async close(): Promise<void> {
    await this.#thread.giveBack('closeNotifier', this.#handle)
  }
}

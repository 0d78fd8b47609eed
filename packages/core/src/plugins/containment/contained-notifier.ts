import type { Notification, Notifier, NotifyOptions } from '@bkp/plugin-api'
import { type PluginGuard, pluginFailed } from './plugin-guard.js'

/** A notifier of a plugin that did not come with bkp. */
export class ContainedNotifier implements Notifier {
  readonly #inner: Notifier
  readonly #guard: PluginGuard

  /** @throws BkpError `plugin-failed` for what is no notifier */
  constructor(inner: Notifier, guard: PluginGuard) {
    for (const name of ['notify', 'close'] as const) {
      if (typeof (inner as Notifier | undefined)?.[name] !== 'function')
        throw pluginFailed(guard.packageName, `its notifier has no ${name}`)
    }
    this.#inner = inner
    this.#guard = guard
  }

  notify(notification: Notification, options: NotifyOptions): Promise<void> {
    return this.#guard.run(() => this.#inner.notify(notification, options), options.signal)
  }

  close(): Promise<void> {
    return this.#guard.run(() => this.#inner.close())
  }
}

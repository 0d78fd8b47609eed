import type { Secret } from '@bkp/plugin-api'
import type { PluginLogs } from '../../log/plugin-logs.js'
import { hideSecrets } from '../../notify/hide-secrets.js'
import type { InstalledPlugin } from '../manifest.js'
import { PluginThread } from './plugin-thread.js'

/** The threads of the plugins that did not come with bkp, each started when it is needed. */
export class PluginThreads {
  readonly #logs: PluginLogs
  readonly #secrets: ReadonlySet<Secret>
  readonly #limitMs: number
  readonly #threads: PluginThread[] = []

  constructor(logs: PluginLogs, secrets: ReadonlySet<Secret>, limitMs: number = Number.POSITIVE_INFINITY) {
    this.#logs = logs
    this.#secrets = secrets
    this.#limitMs = limitMs
  }

  start(plugin: InstalledPlugin): PluginThread {
    const thread = new PluginThread(plugin, {
      log: this.#logs.of(plugin.packageName),
      hide: (value) => hideSecrets(value, this.#secrets),
      limitMs: this.#limitMs,
    })
    this.#threads.push(thread)
    return thread
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()))
  }
}

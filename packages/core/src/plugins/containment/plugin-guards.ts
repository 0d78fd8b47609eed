import type { Secret } from '@bkp/plugin-api'
import type { BkpError } from '../../errors/index.js'
import type { PluginLogs } from '../../log/plugin-logs.js'
import { hideSecrets } from '../../notify/hide-secrets.js'
import { keepInterruptible } from '../../v8-flags.js'
import type { InstalledPlugin } from '../manifest.js'
import { LoopWatch } from './loop-watch.js'
import { asOwnCode, PluginGuard, pluginFailed } from './plugin-guard.js'
import { watchProcess } from './process-guards.js'

export interface LoopOptions {
  /** How long code of a plugin that did not come with bkp may keep its thread, or the main one, in milliseconds; at most a minute. */
  readonly limitMs?: number
  /** Is told of such code, in the middle of it: it has to end the process before it returns. Without it nobody looks. */
  readonly onHeld?: (error: BkpError) => void
}

/** What stands around the plugins that did not come with bkp and run in the main thread; made with the first of them. */
export class PluginGuards {
  readonly #logs: PluginLogs
  readonly #secrets: ReadonlySet<Secret>
  readonly #loops: LoopOptions
  readonly #guards = new Map<InstalledPlugin, PluginGuard>()
  #watch: LoopWatch | undefined

  constructor(logs: PluginLogs, secrets: ReadonlySet<Secret>, loops: LoopOptions) {
    this.#logs = logs
    this.#secrets = secrets
    this.#loops = loops
  }

  /** @returns undefined for a plugin that came with bkp */
  of(plugin: InstalledPlugin): PluginGuard | undefined {
    if (plugin.isBundled) return undefined
    const known = this.#guards.get(plugin)
    if (known !== undefined) return known
    const { packageName, directory } = plugin
    const guard = new PluginGuard(packageName, directory, this.#logs.of(packageName), (text) =>
      hideSecrets(text, this.#secrets),
    )
    watchProcess(guard)
    this.#guards.set(plugin, guard)
    this.#watch ??= this.#watchLoops()
    this.#watch?.add(packageName, directory)
    return guard
  }

  #watchLoops(): LoopWatch | undefined {
    const { limitMs = Number.POSITIVE_INFINITY, onHeld } = this.#loops
    if (onHeld === undefined) return undefined
    keepInterruptible()
    const watch = new LoopWatch(limitMs, (packageName) =>
      asOwnCode(() => onHeld(pluginFailed(packageName, `it keeps bkp from going on for ${watch.limitMs / 1000} s`))),
    )
    return watch
  }
}

import { AsyncLocalStorage } from 'node:async_hooks'
import { sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isPortError, type Logger } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../../errors/index.js'

const running = new AsyncLocalStorage<PluginGuard>()
let alone: PluginGuard | undefined

/** Whose code runs, or began what runs; undefined for bkp's own. */
export function runningPlugin(): PluginGuard | undefined {
  return alone ?? running.getStore()
}

/**
 * Tells whose all code of this thread is, from now on; nobody's when undefined. It then takes no asynchronous context to know
 * it, which every promise would pay for.
 */
export function leaveThreadTo(guard: PluginGuard | undefined): void {
  alone = guard
}

/** Runs an action as bkp's own, wherever it is called from. */
export function asOwnCode<T>(action: () => T): T {
  return running.exit(action)
}

/** Whether a call failed because it was aborted. */
export function isOfAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (error as Error | null)?.name === 'AbortError')
}

export function pluginFailed(packageName: string, reason: string, cause?: unknown): BkpError {
  return new BkpError('plugin-failed', `The plugin ${packageName} failed: ${reason}`, {
    hint: `Only what needs ${packageName} is affected; report this to its author`,
    ...(cause === undefined ? {} : { cause }),
  })
}

/**
 * Stands around the code of one plugin that did not come with bkp and runs in our thread. What the plugin does wrong ends its
 * own calls, under its name. It is no sandbox: code of a plugin can do whatever bkp can, a native crash or an endless loop
 * included.
 */
export class PluginGuard {
  readonly packageName: string
  readonly log: Logger
  readonly #hide: (text: string) => string
  readonly #folder: string
  readonly #folderUrl: string
  /** How running calls hear that the plugin broke outside of any of them. */
  readonly #calls = new Set<(error: BkpError) => void>()
  #failure: BkpError | undefined
  #hasPrinted = false

  /** @param hide takes secrets out of what the plugin says */
  constructor(packageName: string, directory: string, log: Logger, hide: (text: string) => string = (text) => text) {
    this.#hide = hide
    this.packageName = packageName
    this.log = log
    this.#folder = `${directory}${sep}`
    this.#folderUrl = `${pathToFileURL(directory).href}/`
  }

  /**
   * Runs code of the plugin.
   * @param signal of the call: its reason passes as it is
   * @throws PortError as the plugin threw it; BkpError `plugin-failed` for everything else
   */
  async run<T>(action: () => T | Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.#failure !== undefined) throw this.#failure
    let stop: ((error: BkpError) => void) | undefined
    const broken = new Promise<never>((_, reject) => {
      stop = reject
    })
    if (stop !== undefined) this.#calls.add(stop)
    try {
      return await Promise.race([this.#as(async () => action()), broken])
    } catch (error) {
      throw this.#asOurs(error, signal)
    } finally {
      if (stop !== undefined) this.#calls.delete(stop)
    }
  }

  /**
   * Runs code of the plugin, at once: what it returns comes back as it is, a promise as one that settles as `run` says.
   * @throws as `run`
   */
  call<T>(action: () => T): T {
    if (this.#failure !== undefined) throw this.#failure
    let result: T
    try {
      result = this.#as(action)
    } catch (error) {
      throw this.#asOurs(error, undefined)
    }
    return result instanceof Promise ? (this.run(() => result) as T) : result
  }

  /** Ends all calls, those that are still to come included: nobody knows in which state the plugin is. */
  fail(reason: string, cause?: unknown): void {
    this.#failure ??= pluginFailed(this.packageName, this.#hide(reason), cause)
    if (this.#calls.size === 0) this.log.warn(this.#failure.message)
    for (const stop of this.#calls) stop(this.#failure)
  }

  /** Whether all code of this thread is the plugin's. */
  get isAlone(): boolean {
    return alone === this
  }

  /** Whether an error came out of the plugin's code, by its stack. */
  isIn(stack: string): boolean {
    return stack.includes(this.#folder) || stack.includes(this.#folderUrl)
  }

  /** What the plugin printed, which would stand in the middle of results. */
  printed(text: string): void {
    const shown = text.trim()
    if (shown === '') return
    if (this.#hasPrinted) this.log.debug(`${this.packageName} printed: ${shown}`)
    else this.log.warn(`${this.packageName} printed where only results may stand; it was kept from it: ${shown}`)
    this.#hasPrinted = true
  }

  #as<T>(action: () => T): T {
    return this.isAlone ? action() : running.run(this, action)
  }

  #asOurs(error: unknown, signal: AbortSignal | undefined): unknown {
    if (isPortError(error) || isBkpError(error)) return this.#withoutSecrets(error)
    if (isOfAbort(error, signal)) return error
    const reason = error instanceof Error ? error.message : String(error)
    return pluginFailed(this.packageName, this.#hide(reason), error)
  }

  #withoutSecrets(error: Error): Error {
    const message = this.#hide(error.message)
    // The error itself: its class and code are the plugin's.
    if (message !== error.message) Reflect.set(error, 'message', message)
    return error
  }
}

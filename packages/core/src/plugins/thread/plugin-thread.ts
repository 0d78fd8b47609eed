import { SHARE_ENV, type Transferable, Worker } from 'node:worker_threads'
import type { Logger } from '@bkp/plugin-api'
import { type BkpError, isBkpError } from '../../errors/index.js'
import { compiledUrl } from '../../files/compiled-url.js'
import { receiveError, sendError } from '../../sent-error.js'
import { endThreads, letEnd } from '../../stuck-threads.js'
import { keepInterruptible } from '../../v8-flags.js'
import { type Looking, lookingFor } from '../containment/looking.js'
import { pluginFailed } from '../containment/plugin-guard.js'
import type { InstalledPlugin } from '../manifest.js'
import type { CallName, Calls, Message, Order, PluginThreadStart } from './protocol.js'

/** For what a plugin does when its thread ends by itself. */
const goodbyeMs = 1_000

export interface CallParts {
  readonly signal?: AbortSignal | undefined
  readonly transfer?: readonly Transferable[]
  /** Asks the user, where there is one. */
  readonly confirm?: ((question: string) => Promise<boolean>) | undefined
}

export interface PluginThreadParts {
  readonly log: Logger
  /** Takes secrets out of what the plugin says. */
  readonly hide: <T>(value: T) => T
  /** How long the plugin may keep its thread to itself, in milliseconds; one minute at most. */
  readonly limitMs: number
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly parts: CallParts
  readonly forget: () => void
}

/**
 * The thread in which the storages and notifiers of one plugin run that did not come with bkp. Whatever the plugin does, an
 * endless loop and memory without end included, ends its own calls, under its name. It is no sandbox: its code can do whatever
 * bkp can, a native crash included.
 *
 * Keeps the process alive only while a call waits for it.
 */
export class PluginThread {
  readonly packageName: string
  readonly #parts: PluginThreadParts
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #looking: Looking
  readonly #timer: NodeJS.Timeout
  #lastCall = 0
  /** Looks since the thread was last heard of. */
  #silent = 0
  #failure: BkpError | undefined
  #ending: Promise<void> | undefined

  constructor(plugin: InstalledPlugin, parts: PluginThreadParts) {
    const { verify: _, ...described } = plugin
    this.packageName = plugin.packageName
    this.#parts = parts
    // Else a loop could not be ended.
    keepInterruptible()
    const start: PluginThreadStart = { plugin: described }
    this.#worker = new Worker(compiledUrl(import.meta.url, 'plugin-thread-main.js'), {
      workerData: start,
      name: plugin.packageName,
      // As the main thread sees it, for the programs that it starts, too: secrets are taken out of it later.
      env: SHARE_ENV,
      // What its code writes there past our eyes is left where it is: results stand in ours.
      stdout: true,
    })
    this.#looking = lookingFor(parts.limitMs)
    this.#timer = setInterval(() => this.#look(), this.#looking.betweenMs).unref()
    this.#worker.on('message', (message: Message) => this.#hear(message))
    this.#worker.on('error', (error) => this.#fail(error.message, error))
    this.#worker.on('exit', (code) => this.#fail(`its thread ended with code ${code}`))
    this.#worker.unref()
  }

  /** @throws PortError as the plugin threw it; the reason of the signal; BkpError `plugin-failed` for everything else */
  call<Name extends CallName>(
    name: Name,
    given: Parameters<Calls[Name]>,
    parts: CallParts = {},
  ): Promise<ReturnType<Calls[Name]>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (parts.signal?.aborted) return Promise.reject(parts.signal.reason)
    const call = ++this.#lastCall
    return new Promise((resolve, reject) => {
      const { signal } = parts
      const abort = () => this.#say({ kind: 'abort', call, reason: sendError(signal?.reason) })
      const forget = () => signal?.removeEventListener('abort', abort)
      this.#say({ kind: 'call', call, name, given }, parts.transfer)
      if (this.#waiting.size === 0) this.#beginWaiting()
      this.#waiting.set(call, { resolve: resolve as (result: unknown) => void, reject, parts, forget })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }

  /** A call that gives something back. A plugin that has failed keeps nobody from what others have done. */
  async giveBack(name: 'closeStorage' | 'closeNotifier', handle: number): Promise<void> {
    if (this.#failure !== undefined) return
    try {
      await this.call(name, [handle])
    } catch (error) {
      if (!isBkpError(error, 'plugin-failed')) throw error
      this.#parts.log.warn(error.message)
    }
  }

  /** Lets the thread end, by itself if it can. */
  close(): Promise<void> {
    this.#refuse(pluginFailed(this.packageName, 'its thread has ended'))
    clearInterval(this.#timer)
    this.#ending ??= letEnd(this.#worker, () => this.#say({ kind: 'end' }), goodbyeMs)
    return this.#ending
  }

  #say(order: Order, transfer: readonly Transferable[] = []): void {
    this.#worker.postMessage(order, transfer)
  }

  #beginWaiting(): void {
    this.#silent = 0
    this.#worker.ref()
  }

  #settled(call: number): Waiting | undefined {
    const waiting = this.#waiting.get(call)
    if (!this.#waiting.delete(call)) return undefined
    waiting?.forget()
    if (this.#waiting.size === 0) this.#worker.unref()
    return waiting
  }

  #hear(message: Message): void {
    this.#silent = 0
    if (message.kind === 'done') this.#settled(message.call)?.resolve(message.result)
    else if (message.kind === 'failed') this.#failed(message)
    else if (message.kind === 'log') this.#parts.log[message.level](message.message, message.details)
    else if (message.kind === 'ask') void this.#ask(message)
  }

  #failed({ call, error, wasAborted }: Extract<Message, { readonly kind: 'failed' }>): void {
    const waiting = this.#settled(call)
    const reason: unknown = wasAborted ? waiting?.parts.signal?.reason : undefined
    waiting?.reject(reason ?? receiveError(this.#parts.hide(error)))
  }

  async #ask({ call, question, text }: Extract<Message, { readonly kind: 'ask' }>): Promise<void> {
    let isYes = false
    try {
      isYes = (await this.#waiting.get(call)?.parts.confirm?.(text)) ?? false
    } catch (error) {
      // The one who was asked broke it off: so is the call.
      this.#settled(call)?.reject(error)
    }
    this.#say({ kind: 'answer', question, isYes })
  }

  /** A thread that nothing keeps answers at once. One that was asleep with the whole machine has all looks before it again. */
  #look(): void {
    if (this.#waiting.size === 0) return
    const { limitMs, looks } = this.#looking
    if (this.#silent++ < looks) this.#say({ kind: 'ping' })
    else this.#fail(`it kept its thread to itself for ${limitMs / 1000} s`)
  }

  #fail(reason: string, cause?: unknown): void {
    if (this.#failure !== undefined) return
    const failure = pluginFailed(this.packageName, this.#parts.hide(reason), cause)
    if (this.#waiting.size === 0) this.#parts.log.warn(failure.message)
    this.#refuse(failure)
    clearInterval(this.#timer)
    this.#worker.ref()
    this.#ending ??= endThreads([this.#worker])
  }

  /** Ends all calls, those that are still to come included. */
  #refuse(failure: BkpError): void {
    this.#failure ??= failure
    for (const call of [...this.#waiting.keys()]) this.#settled(call)?.reject(this.#failure)
  }
}

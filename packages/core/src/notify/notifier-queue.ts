import type { Logger, Notification, Notifier, Secret } from '@bkp/plugin-api'
import type { NotifierTarget } from '../config/notifier.js'
import { type RetryPolicy, retried } from '../ports/retry.js'
import { retryPolicyOf } from '../ports/retrying.js'
import { withinTime } from '../ports/time-limit.js'
import type { Timing } from '../ports/timing.js'
import { hideSecrets } from './hide-secrets.js'
import type { NotifierOutcome, TellOptions } from './outcome.js'

type Patience = NonNullable<TellOptions['patience']>

export interface QueueParts {
  readonly open: (target: NotifierTarget) => Promise<Notifier>
  readonly secrets: () => Iterable<Secret>
  readonly log: Logger
  readonly timing: Timing
  readonly random: () => number
}

const callMs = 30_000
const hastyCallMs = 10_000
/** How long a call that ran out of time may take to tidy up, and closing in all. */
const tidyMs = 5_000

/** Somebody may be waiting for the program to end: a minute for what passes. */
const notifierRetryPolicy: RetryPolicy = {
  retries: 5,
  firstDelayMs: 1_000,
  maxDelayMs: 15_000,
  maxAskedDelayMs: 30_000,
  patienceMs: 60_000,
}

/** Gives one notifier its messages, one after the other. */
export class NotifierQueue {
  readonly target: NotifierTarget
  readonly #parts: QueueParts
  #notifier: Promise<Notifier> | undefined
  #last: Promise<unknown> = Promise.resolve()
  /** Gives up to repeat the message that is under way. */
  #supersede: () => void = () => undefined

  constructor(target: NotifierTarget, parts: QueueParts) {
    this.target = target
    this.#parts = parts
  }

  /** Never rejects. */
  tell(notification: Notification, patience: Patience): Promise<NotifierOutcome> {
    // That a run has begun is not worth waiting for once there is more to tell.
    this.#supersede()
    const superseding = new AbortController()
    if (notification.kind === 'started') this.#supersede = () => superseding.abort()
    const delivery = this.#last.then(() => this.#deliver(notification, patience, superseding.signal))
    this.#last = delivery
    return delivery
  }

  async close(): Promise<void> {
    await this.#last
    if (this.#notifier === undefined) return
    const { timing, log } = this.#parts
    try {
      const notifier = await this.#notifier
      const what = `Closing the notifier ${this.target.name}`
      await withinTime({ what, limitMs: tidyMs, abortMs: 0, timing }, undefined, new AbortController(), () =>
        notifier.close(),
      )
    } catch (error) {
      // What could not be opened was told of, and nothing depends on what stays open.
      log.debug(this.#textOf(error))
    }
  }

  /** @param superseded no more than the attempt that is under way, but that one whole */
  async #deliver(notification: Notification, patience: Patience, superseded: AbortSignal): Promise<NotifierOutcome> {
    const { timing, random } = this.#parts
    const { name } = this.target
    const { kind } = notification
    const startedAt = timing.now()
    const waiting = new AbortController()
    let lastError: unknown
    const giveUp = () => {
      if (lastError !== undefined) waiting.abort(lastError)
    }
    superseded.addEventListener('abort', giveUp, { once: true })
    const attempt = async (): Promise<void> => {
      try {
        await this.#attempt(notification, patience)
      } catch (error) {
        lastError = error
        if (superseded.aborted) giveUp()
        throw error
      }
    }
    const configured = retryPolicyOf(notifierRetryPolicy, this.target.patience)
    const policy = patience === 'none' ? { ...configured, retries: 0 } : configured
    try {
      await retried(attempt, { policy, timing, random }, waiting.signal)
      return { name, kind, state: 'told', elapsedMs: timing.now() - startedAt }
    } catch (error) {
      const { hint } = error as { hint?: unknown }
      const told = typeof hint === 'string' ? { hint: hideSecrets(hint, this.#parts.secrets()) } : {}
      return { name, kind, state: 'failed', message: this.#textOf(error), ...told, elapsedMs: timing.now() - startedAt }
    }
  }

  async #attempt(notification: Notification, patience: Patience): Promise<void> {
    const { callSeconds } = this.target.patience ?? {}
    const configuredMs = callSeconds === undefined ? callMs : callSeconds * 1000
    const limitMs = patience === 'none' ? Math.min(hastyCallMs, configuredMs) : configuredMs
    const what = `Telling ${this.target.name}`
    const controller = new AbortController()
    const limit = { what, limitMs, abortMs: tidyMs, timing: this.#parts.timing }
    await withinTime(limit, undefined, controller, async () => {
      this.#notifier ??= this.#parts.open(this.target)
      let notifier: Notifier
      try {
        notifier = await this.#notifier
      } catch (error) {
        // The next attempt opens it anew.
        this.#notifier = undefined
        throw error
      }
      await notifier.notify(notification, { signal: controller.signal })
    })
  }

  #textOf(error: unknown): string {
    return hideSecrets(error instanceof Error ? error.message : String(error), this.#parts.secrets())
  }
}

import type { Logger, Notification, Notifier, Secret } from '@bkp/plugin-api'
import type { NotifierTarget } from '../config/notifier.js'
import { systemTiming, type Timing } from '../ports/timing.js'
import { hideSecrets } from './hide-secrets.js'
import { NotifierQueue } from './notifier-queue.js'
import type { NotifierOutcome, TellOptions } from './outcome.js'

export interface NotifierParts {
  /** Opened when the first message is there. */
  readonly open: (target: NotifierTarget) => Promise<Notifier>
  /** What must not stand in messages; asked anew for each. */
  readonly secrets: () => Iterable<Secret>
  readonly log: Logger
  readonly timing?: Timing
  /** From 0 to less than 1. */
  readonly random?: () => number
}

/** The notifiers of a run. */
export class NotifierGroup {
  readonly #queues: readonly NotifierQueue[]
  readonly #parts: NotifierParts

  constructor(targets: readonly NotifierTarget[], parts: NotifierParts) {
    const { timing = systemTiming, random = Math.random } = parts
    this.#parts = parts
    this.#queues = targets.map((target) => new NotifierQueue(target, { ...parts, timing, random }))
  }

  /** Tells those that want to hear of it. Never rejects: what failed is warned of. */
  async tell(notification: Notification, options: TellOptions = {}): Promise<readonly NotifierOutcome[]> {
    const patience = options.patience ?? 'as-configured'
    const { summary, report } = notification
    const secrets = [...this.#parts.secrets()]
    const told = {
      ...notification,
      summary: hideSecrets(summary, secrets),
      ...(report === undefined ? {} : { report: hideSecrets(report, secrets) }),
    }
    const wanting = this.#queues.filter(({ target }) => target.on.includes(notification.kind))
    return Promise.all(
      wanting.map(async (queue) => {
        const delivery = await queue.tell(told, patience)
        const { name, use } = queue.target
        if (delivery.state === 'failed') {
          const hint = delivery.hint === undefined ? '' : `. ${delivery.hint}`
          this.#parts.log.warn(
            `The notifier ${name} (${use}) was not told of "${notification.kind}": ${delivery.message}${hint}`,
          )
        }
        return delivery
      }),
    )
  }

  async close(): Promise<void> {
    await Promise.all(this.#queues.map((queue) => queue.close()))
  }
}

import type { Logger } from '@bkp/plugin-api'
import type { FallOver } from '../api.js'
import type { FellOver } from './replicated-storage.js'

/** What was read from another destination than the first; each pair is told once, and counted. */
export class FallOverLog {
  readonly #log: Logger
  readonly #found = new Map<string, { from: string; to: string; objects: number; message: string }>()

  constructor(log: Logger) {
    this.#log = log
  }

  readonly note: FellOver = (from, to, key, reason) => {
    const pair = JSON.stringify([from.name, to.name])
    const known = this.#found.get(pair)
    if (known !== undefined) {
      known.objects++
      return
    }
    this.#found.set(pair, { from: from.name, to: to.name, objects: 1, message: `${key}: ${reason.message}` })
    this.#log.warn(`${from.name} could not give ${key} (${reason.message}): read from ${to.name} instead`)
  }

  list(): readonly FallOver[] {
    return [...this.#found.values()].map((found) => ({ ...found }))
  }
}

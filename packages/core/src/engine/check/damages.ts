import type { BrokenObject } from '../../repository/repository-index.js'
import type { Damage, RawPath } from '../api.js'

const maxAffected = 100
const maxMessages = 10

/** Damages by object, each with its reasons and what is lost with it. */
export class Damages {
  readonly #found = new Map<string, { messages: string[]; affects: Map<string, RawPath> }>()

  has(key: string): boolean {
    return this.#found.has(key)
  }

  add(key: string, message: string, path?: RawPath): void {
    const damage = this.#found.get(key) ?? { messages: [], affects: new Map<string, RawPath>() }
    if (damage.messages.length < maxMessages && !damage.messages.includes(message)) damage.messages.push(message)
    if (path !== undefined && damage.affects.size < maxAffected) damage.affects.set(path.text, path)
    this.#found.set(key, damage)
  }

  addBroken(broken: readonly BrokenObject[]): void {
    for (const { key, error } of broken) this.add(key, error.message)
  }

  /** Adds a path to the damage of an object, which may have been found by now or not. */
  affect(key: string, message: string, path: RawPath): void {
    const known = this.#found.get(key)
    this.add(key, known?.messages[0] ?? message, path)
  }

  list(): Damage[] {
    return [...this.#found].map(([key, { messages, affects }]) => ({
      key,
      message: messages.join('; '),
      affects: [...affects.values()],
    }))
  }
}

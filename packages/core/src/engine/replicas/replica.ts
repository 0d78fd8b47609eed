import type { Storage } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'

/** A destination while a command runs: its storage, and whether it still takes part. */
export class Replica {
  readonly destination: Destination
  readonly storage: Storage
  #failure: Error | undefined

  constructor(destination: Destination, storage: Storage) {
    this.destination = destination
    this.storage = storage
  }

  get name(): string {
    return this.destination.name
  }

  /** Why it takes no part any more; undefined while it does. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** From here on it lags: what it lacks is brought to it by a later run. The first reason is the one that counts. */
  giveUp(reason: Error): void {
    this.#failure ??= reason
  }
}

/** A destination that could not be used from the beginning. */
export interface AbsentReplica {
  readonly destination: Destination
  readonly error: Error
}

/** What a thrown value says, as an error. */
export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}

import type { Storage } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'
import type { EngineEvent } from '../api.js'

/** A destination while a command runs: its storage, and whether it still takes part. */
export class Replica {
  readonly destination: Destination
  readonly storage: Storage
  /**
   * Whether what it took is read from there for the others: it is near, and its code is known. What gives back other bytes than
   * it took must harm nobody else.
   */
  readonly isReadBack: boolean
  #failure: Error | undefined

  /** @param comesWithBkp whether that is said of the plugin of the storage */
  constructor(destination: Destination, storage: Storage, comesWithBkp = true) {
    this.destination = destination
    this.storage = storage
    this.isReadBack = comesWithBkp && storage.capabilities.isLocal
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

/** What a run says of a destination that takes no further part. */
export function lostEvent(name: string, error: Error): EngineEvent {
  return { kind: 'destination-lost', name, message: error.message, ...hintOf(error) }
}

/** What can be done about an error, where it says so. */
export function hintOf(error: Error): { readonly hint?: string } {
  // Whoever found a destination unusable before it was opened has errors of its own.
  const { hint } = error as { readonly hint?: unknown }
  return typeof hint === 'string' ? { hint } : {}
}

/** What a thrown value says, as an error. */
export function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value))
}

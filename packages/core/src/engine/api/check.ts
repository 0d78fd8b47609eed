import type { Destination } from '../../config/destination.js'
import type { RawPath, RunOptions } from './run.js'

export interface HealedObject {
  readonly key: string
  /** What was wrong with it. */
  readonly message: string
  readonly bytes: number
}

/** What a check found at one destination. */
export interface DestinationCheck extends CheckResult {
  readonly name: string
  readonly url: string
  /** Objects that were replaced by those of another destination; they are no damages any more. */
  readonly healed: readonly HealedObject[]
}

export interface CheckOptions extends RunOptions {
  /** 0: structure only; 1: read and verify all data; between: a random share of the packs. */
  readonly readDataShare: number
  /** Replaces what is damaged or missing by what other destinations have. */
  readonly heal: boolean
  /** Destinations that are read from to heal, and are not checked themselves. */
  readonly healFrom?: readonly Destination[]
}

export interface Damage {
  /** Object key, e.g. `packs/ab/abcd…`. */
  readonly key: string
  readonly message: string
  /** Paths that are lost with it, at most 100, as far as known. */
  readonly affects: readonly RawPath[]
  /** Name of another destination that has it sound. */
  readonly intactAt?: string
}

export interface CheckResult {
  readonly snapshots: number
  readonly packs: number
  readonly packsRead: number
  readonly blobs: number
  readonly bytesRead: number
  readonly damages: readonly Damage[]
  /**
   * Packs that no snapshot that could be read needs. Leftovers of interrupted runs where there are no damages; else they may
   * hold what is missing.
   */
  readonly unreferencedPacks: number
  readonly elapsedMs: number
}

/** What this machine remembers of the latest check of a destination. */
export interface CheckRecord {
  /** ISO 8601. */
  readonly time: string
  readonly readDataShare: number
  /** What was found and not healed. */
  readonly damages: number
}

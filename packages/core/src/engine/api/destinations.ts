import type { Secret } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'
import type { CheckRecord } from './check.js'
import type { RunOptions } from './run.js'

/** How one destination of several came off. */
export interface DestinationOutcome {
  readonly name: string
  readonly url: string
  /** `complete`: it has all that it should. `lagging`: it has not; the next run or `bkp sync` brings it up. */
  readonly state: 'complete' | 'lagging'
  /** Bytes that this run stored there, what it lacked from earlier runs included. */
  readonly storedBytes: number
  /** Objects of earlier runs that it lacked and was given. */
  readonly caughtUpObjects: number
  /** Why it lags. */
  readonly message?: string
}

export interface CreateRepositoryResult {
  readonly repositoryId: string
  /** To be shown once and never stored. */
  readonly recoveryCode: Secret
  readonly url: string
  readonly destinations: readonly DestinationOutcome[]
}

export interface SyncOptions extends RunOptions {
  /** Replicas to read from, the ones that are brought up may be among them. */
  readonly from: readonly Destination[]
  readonly to: readonly Destination[]
  /** Makes replicas of those of `to` where nothing is yet. */
  readonly create: boolean
  /** Only tell what would be copied. */
  readonly dryRun: boolean
}

/** What one destination was given by a sync, or in a dry run what it lacks. */
export interface SyncOutcome {
  readonly name: string
  readonly url: string
  readonly state: 'complete' | 'lagging'
  readonly objects: number
  readonly bytes: number
  /** Why it lags. */
  readonly message?: string
}

export interface SyncResult {
  readonly destinations: readonly SyncOutcome[]
  /** Objects that are not sound at any of the destinations that were read from. */
  readonly damaged: readonly { readonly key: string; readonly message: string }[]
  readonly elapsedMs: number
}

/** One thing that a test of a destination tried. */
export interface ProbeStep {
  readonly name: 'open' | 'write' | 'read' | 'ranges' | 'list' | 'create' | 'replace' | 'remove' | 'speed' | 'clock'
  /** `note`: it does not work, and is not needed for backups, e.g. removing with a key that may not. */
  readonly level: 'ok' | 'note' | 'problem'
  readonly message: string
}

export interface ProbeResult {
  readonly steps: readonly ProbeStep[]
  /** Bytes per second, of one object. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
  /** Round trip of a small request. */
  readonly latencyMs?: number
  /** How far the clock of the other side is ahead of this machine's; negative when behind. */
  readonly clockSkewMs?: number
  readonly canRemove: boolean
  readonly canReplace: boolean
  /** Keys of test objects that could not be removed. */
  readonly leftBehind: readonly string[]
}

export interface DestinationStatus {
  readonly name: string
  readonly url: string
  /** Why it cannot be used now; everything below is unknown then. */
  readonly message?: string
  /** What can be done about that. */
  readonly hint?: string
  /** It can be reached, and holds no repository. */
  readonly isEmpty?: true
  readonly snapshots?: number
  /** ISO 8601. */
  readonly newestSnapshot?: string
  /** Snapshots that other destinations have and this one has not. */
  readonly lagSnapshots?: number
  /** Seconds from this one's newest snapshot to the newest of all. */
  readonly lagSeconds?: number
  readonly objects?: number
  readonly bytes?: number
  /** Objects that other destinations have and this one has not. */
  readonly missingObjects?: number
  readonly missingBytes?: number
  readonly lastCheck?: CheckRecord
}

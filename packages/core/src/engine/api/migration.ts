import type { Destination } from '../../config/destination.js'
import type { RunOptions } from './run.js'

/** What a migration is going to take, found out before anything is written. */
export interface MigrationPlan {
  /** All of the source. */
  readonly objects: number
  readonly bytes: number
  /** What the target does not have yet. */
  readonly objectsToCopy: number
  readonly bytesToCopy: number
  /** Calls at the two providers, what is read back included. */
  readonly requests: {
    readonly listAtSource: number
    readonly readAtSource: number
    readonly listAtTarget: number
    readonly writeAtTarget: number
    readonly readAtTarget: number
  }
  /**
   * From one object that was read at the source, and the limits of both places at the times of the day that it will take;
   * undefined when there is nothing to measure, or a limit lets nothing through. An upload that is slower takes longer.
   */
  readonly seconds: number | undefined
  /** The two parts of it; reading back is taken to be as fast as reading at the source. */
  readonly secondsToCopy: number | undefined
  readonly secondsToReadBack: number | undefined
}

export interface MigrateOptions extends RunOptions {
  readonly from: Destination
  readonly to: Destination
  /** Read every object back from the target and compare its SHA-256; else count, names and sizes alone are compared. */
  readonly readBack: boolean
  /** Only the plan. */
  readonly dryRun: boolean
  /** Asked before anything is written. */
  readonly confirm: (plan: MigrationPlan) => Promise<boolean>
}

export interface MigrationResult {
  readonly plan: MigrationPlan
  /** `complete`: everything is at the target, and proven as far as asked. `refused`: `confirm` said no. */
  readonly state: 'complete' | 'incomplete' | 'refused' | 'planned'
  readonly copiedObjects: number
  readonly copiedBytes: number
  /** Objects that were at the target with wrong bytes, and are right now. */
  readonly replacedObjects: number
  /** Objects at the target whose name, size and, when read back, SHA-256 are right. */
  readonly verifiedObjects: number
  readonly verifiedBytes: number
  /** Objects that are not sound at the source, or not at the target. */
  readonly faults: readonly { readonly key: string; readonly message: string }[]
  readonly elapsedMs: number
}

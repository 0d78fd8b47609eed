import type { NotificationKind } from '@bkp/plugin-api'
import type { Patience, TransferLimits } from './destination.js'
import type { NotifierTarget } from './notifier.js'

/**
 * The configuration as it stands in the file, checked: names, places and options, with secrets still as text or
 * references. Paths are as written: absolute, relative to the folder of the file, or from `~/`.
 */
export interface Config {
  readonly repositories: Readonly<Record<string, RepositoryConfig>>
  readonly jobs: Readonly<Record<string, JobConfig>>
  readonly notifiers: Readonly<Record<string, NotifierConfig>>
}

/** How many destinations must have a snapshot for a run to be a success. */
export type Requirement = 'all' | number

export interface CompressionConfig {
  readonly id: string
  readonly level?: number
}

export interface RepositoryConfig {
  readonly destinations: Readonly<Record<string, DestinationConfig>>
  readonly require: Requirement
  /** A reference to a secret, or the secret itself. */
  readonly password?: string
  readonly compression?: CompressionConfig
  readonly cipher?: string
}

export interface DestinationConfig {
  readonly url: string
  /** Of the storage; texts of secret options are references or the secrets themselves. */
  readonly options: Readonly<Record<string, unknown>>
  readonly limits?: TransferLimits
  readonly patience?: Patience
}

/** Who is told of runs, and of what. */
export interface NotifierConfig {
  /** Id of the notifier, as a plugin contributes it. */
  readonly use: string
  /** Of the plugin; texts of secret options are references or the secrets themselves. */
  readonly options: Readonly<Record<string, unknown>>
  readonly on: readonly NotificationKind[]
  readonly patience?: NotifierTarget['patience']
}

/** What one backup job backs up, and how. */
export interface JobConfig {
  readonly repository?: string
  readonly paths: readonly string[]
  /** A source of a plugin, which says what paths are; without one they are files and folders. */
  readonly source?: { readonly use: string; readonly options: Readonly<Record<string, unknown>> }
  /** A program whose output is backed up instead of paths, under `name`. */
  readonly command?: string
  readonly name?: string
  readonly excludes: readonly string[]
  readonly excludeFiles: readonly string[]
  readonly excludeCaches?: boolean
  readonly excludeLargerThanBytes?: number
  readonly oneFileSystem?: boolean
  readonly tags: readonly string[]
  readonly host?: string
  readonly compression?: CompressionConfig
  /** Names of the notifiers that are told of its runs; default: all. */
  readonly notify?: readonly string[]
  /** Cron expression. Kept for the scheduler that is to come. */
  readonly schedule?: string
  /** How many snapshots to keep. Kept and checked; nothing acts on it yet. */
  readonly retention?: RetentionConfig
  /** Commands around a run. Kept and checked; nothing runs them yet, so that a backup refuses the job. */
  readonly hooks?: Readonly<Record<string, readonly string[]>>
}

export interface RetentionConfig {
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /** A length of time, e.g. `90d`. */
  readonly within?: string
  readonly tags?: readonly string[]
}

/** A notifier as its plugin's manifest describes it. */
export interface NotifierDescription {
  readonly id: string
  readonly displayName: string
  /** JSON Schema of its options; without one it takes none. */
  readonly schema?: Readonly<Record<string, unknown>>
}

/** A storage as its plugin's manifest describes it. */
export interface StorageDescription {
  readonly id: string
  readonly displayName: string
  readonly schemes: readonly string[]
  /** JSON Schema of its options; without one it takes none. */
  readonly schema?: Readonly<Record<string, unknown>>
}

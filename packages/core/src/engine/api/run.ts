import type { Secret } from '@bkp/plugin-api'

/** A byte string that need not be UTF-8. `text` is for people; `bytes` is exact. */
export interface RawPath {
  readonly text: string
  readonly bytes: Uint8Array
}

export interface RunOptions {
  readonly signal?: AbortSignal
  readonly onEvent?: (event: EngineEvent) => void
}

/** What a run tells while it goes on. Counters are totals so far, not differences. */
export type EngineEvent =
  | { readonly kind: 'started'; readonly operation: string }
  | { readonly kind: 'planned'; readonly totalFiles: number; readonly totalBytes: number }
  | {
      readonly kind: 'progress'
      readonly filesDone: number
      readonly bytesDone: number
      /** Bytes written to the storage so far. */
      readonly storedBytes: number
      readonly errors: number
      /** What is being worked on, for people. */
      readonly current?: string
      /** Known once something was `planned`. */
      readonly totalFiles?: number
      readonly totalBytes?: number
    }
  | { readonly kind: 'issue'; readonly issue: Issue }
  /** Where the several destinations of a run are. */
  | { readonly kind: 'destinations'; readonly destinations: readonly DestinationProgress[] }
  /** A destination takes no further part; the run goes on with the others. */
  | { readonly kind: 'destination-lost'; readonly name: string; readonly message: string; readonly hint?: string }
  | { readonly kind: 'note'; readonly message: string }

export interface DestinationProgress {
  readonly name: string
  /** Bytes that are durable there, of this run. */
  readonly storedBytes: number
  /** Bytes that wait for it on this machine. */
  readonly queuedBytes: number
  readonly isLost: boolean
}

export type IssueKind = 'unreadable' | 'vanished' | 'changed' | 'unsupported' | 'damaged' | 'not-kept'

/** Something that went wrong with one entry and did not end the run. */
export interface Issue {
  readonly kind: IssueKind
  readonly path: RawPath
  readonly message: string
}

export type Unlock =
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | { readonly kind: 'recovery-code'; readonly code: Secret }

export interface CodecChoice {
  readonly id: string
  readonly configuration: Readonly<Record<string, unknown>>
}

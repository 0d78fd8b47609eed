import type { HttpFault } from '@bkp/testkit'
import type { Address } from './fault-target.js'

/** A destination as the configuration has it. */
export interface WrittenPlace {
  readonly url: string
  readonly options: Readonly<Record<string, unknown>>
}

/** A server that runs, as whole runs of bkp meet it. A place is one repository there. */
export interface RunTarget {
  readonly address: Address
  /** Secrets are references to `env`. */
  writtenPlace(at: Address, place: string): WrittenPlace
  readonly env: Readonly<Record<string, string>>
  /** Makes what a new place needs, before a repository is created there. */
  prepare(place: string): Promise<void>
  /** Forgets a place, as far as it takes room. */
  remove(place: string): Promise<void>
  /** Paths of everything that lies there; what is half there, such as temporary files, begins with `@`. */
  filesIn(place: string): Promise<readonly string[]>
  /** Ends the server in the middle of whatever it does, and starts it again; undefined: only its connections can be ended. */
  readonly process?: { kill(): Promise<void>; restart(): Promise<void> }
  /** Paths of what the server's own writing leaves behind when it is killed; nothing by default. */
  readonly leftByKilledServer?: RegExp
  /** Takes the rights of the credentials away, and gives them back. Connections that are open may keep them. */
  revoke(): Promise<void>
  allow(): Promise<void>
  /** Ends what was given for a time, such as tokens; undefined where nothing is. */
  expire?(): Promise<void>
  /** From now on there is room for nothing more, or for as much as anybody wants; undefined where that cannot be had. */
  readonly room?: { end(place: string): Promise<void>; make(place: string): Promise<void> }
  stop(): Promise<void>
}

export interface RunSuite {
  /**
   * What it shows beside what every server has to. Much is decided by core, or was tried with every storage by itself, and
   * one server shows it for all: `core`, runs to the server alone and names that lead nowhere; `away`, a server that never
   * comes back; `storms`, statuses of HTTP in plenty; `http`, lists that lag, clocks, removals that are refused.
   */
  readonly also: readonly ('core' | 'away' | 'storms' | 'http')[]
  /** Whether tokens expire there. */
  readonly expires?: boolean
  /** How a server that is full answers, where none can be filled. */
  readonly full?: Pick<HttpFault & { readonly kind: 'status' }, 'status' | 'body' | 'matches'>
  /** Requests that list. */
  readonly isListing?: (request: { readonly method: string; readonly url: string }) => boolean
  start(): Promise<RunTarget>
}

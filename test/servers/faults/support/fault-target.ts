import type { Storage } from '@bkp/plugin-api'

export interface Address {
  readonly host: string
  readonly port: number
}

/** A server that runs, and how a plugin's storage reaches it. */
export interface FaultTarget {
  readonly address: Address
  /** The plugin's own storage, without anything around it; the place is made already and empty at first. */
  open(address: Address): Promise<Storage>
  stop(): Promise<void>
}

export interface FaultSuite {
  /** Plain HTTP makes storms of statuses possible. */
  readonly protocol: 'http' | 'other'
  start(): Promise<FaultTarget>
}

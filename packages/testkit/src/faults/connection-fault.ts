import { setMaxListeners } from 'node:events'
import { seededFraction } from '../support/occasions.js'

/** Up: from the client to the server. */
export type ProxyDirection = 'up' | 'down'

/** What a proxy does to connections. Bytes are counted from the moment at which the fault is added, over all connections. */
export type ConnectionFault =
  /** Ends the connection that carries the byte after these, once they are through; `times` in all, default 1. */
  | { readonly kind: 'cut'; readonly direction: ProxyDirection; readonly afterBytes: number; readonly times?: number }
  /** As `cut`, at a place below `withinBytes` that the seed tells, and for each of `times` another one. */
  | {
      readonly kind: 'random-cut'
      readonly direction: ProxyDirection
      readonly withinBytes: number
      readonly seed: number
      readonly times?: number
    }
  /** Holds back what comes after these bytes (default 0) for so long; without `ms` until it is healed. */
  | {
      readonly kind: 'stall'
      readonly direction: ProxyDirection
      readonly afterBytes?: number
      readonly ms?: number
    }
  /** Takes everything and passes nothing on, as a firewall does that drops packets. */
  | { readonly kind: 'silence' }
  /** Of both directions, each for all connections together. */
  | { readonly kind: 'throttle'; readonly bytesPerSecond: number }
  /** Delays every piece of at most 64 KiB. */
  | { readonly kind: 'latency'; readonly ms: number }

/** How often each fault really happened, and what went through. */
export interface ProxyCounts {
  /** Connections that clients made. */
  readonly connections: number
  readonly cuts: number
  /** Pieces that were held back. */
  readonly stalls: number
  /** Bytes that were taken and thrown away. */
  readonly silencedBytes: number
  readonly restarts: number
  /** Connections to the server that failed. */
  readonly unreachable: number
  readonly bytesUp: number
  readonly bytesDown: number
}

/** What a proxy has really done. */
export type Counts = { -readonly [K in keyof ProxyCounts]: ProxyCounts[K] }

/** A fault at work. */
export class ActiveFault {
  readonly fault: ConnectionFault
  readonly #healed = new AbortController()
  #untilBytes: number
  #timesLeft: number
  #cuts = 0

  constructor(fault: ConnectionFault) {
    this.fault = fault
    this.#timesLeft = 'times' in fault ? (fault.times ?? 1) : 1
    this.#untilBytes = this.#place()
    // Every piece that it holds back waits for it.
    setMaxListeners(0, this.#healed.signal)
  }

  get healed(): AbortSignal {
    return this.#healed.signal
  }

  heal(): void {
    this.#healed.abort()
  }

  /** Bytes that may pass before it happens in this direction. */
  bytesLeft(direction: ProxyDirection): number {
    const { fault } = this
    const isMeant = 'direction' in fault && fault.direction === direction && !this.healed.aborted && this.#timesLeft > 0
    return isMeant ? this.#untilBytes : Number.POSITIVE_INFINITY
  }

  passed(direction: ProxyDirection, bytes: number): void {
    if (this.bytesLeft(direction) !== Number.POSITIVE_INFINITY) this.#untilBytes = Math.max(0, this.#untilBytes - bytes)
  }

  /** It happens now: what comes next is another time. */
  happened(): void {
    this.#timesLeft--
    this.#cuts++
    this.#untilBytes = this.#place()
  }

  #place(): number {
    const { fault } = this
    if (fault.kind === 'random-cut') return Math.floor(seededFraction(fault.seed, this.#cuts + 1) * fault.withinBytes)
    return 'afterBytes' in fault ? (fault.afterBytes ?? 0) : 0
  }
}

import { shownUrl } from './destination-url.js'

/** A stretch of every day with limits of its own. Times are local, `HH:MM`; a stretch may go over midnight. */
export interface LimitPeriod {
  readonly from: string
  readonly to: string
  /** Bytes per second; undefined: as fast as it goes. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
}

/** How fast a destination may be used, both directions apart. */
export interface TransferLimits {
  /** Bytes per second; undefined: as fast as it goes. */
  readonly uploadBytesPerSecond?: number
  readonly downloadBytesPerSecond?: number
  /** The first period that holds the time of day counts instead of the two above. */
  readonly schedule?: readonly LimitPeriod[]
}

/** How long to wait for a destination before it counts as lost; core has a default for each. */
export interface Patience {
  /** For the answer to one call, beside the time that its bytes need. */
  readonly callSeconds?: number
  /** A transfer that is slower than this counts as dead. */
  readonly slowestBytesPerSecond?: number
  /** Since the first failure of a call, as long as it is tried again. */
  readonly retrySeconds?: number
}

/** One place where a repository lies; every destination of a repository is a full replica of it. */
export interface Destination {
  /** From the configuration, or the URL itself: how results and messages call it. Never holds a secret. */
  readonly name: string
  /** A folder or a URL, with its query if it has one. */
  readonly url: string
  /** Options of the storage plugin, as the configuration gives them; secrets are `Secret`s. */
  readonly options?: Readonly<Record<string, unknown>>
  readonly limits?: TransferLimits
  readonly patience?: Patience
  /** Why it cannot be used, where that is known by now, e.g. a secret that could not be fetched: whoever opens it is told so. */
  readonly unusable?: Error
}

/** A destination that is known by its URL alone. */
export function destinationOf(url: string): Destination {
  return { name: shownUrl(url), url }
}

/** How results name a destination: one that was refused may have a secret in its URL. */
export function shownPlace({ name, url }: Destination): { readonly name: string; readonly url: string } {
  return { name, url: shownUrl(url) }
}

const longestLimitMs = 60_000
const looksPerLimit = 10
const longestBetweenLooksMs = 1_000

/** How a thread is looked at, which code of a plugin may keep to itself only so long. */
export interface Looking {
  /** One minute at most. */
  readonly limitMs: number
  readonly betweenMs: number
  /** After so many without a sign of life the time is up: by looks, so that the sleep of a whole machine does not count. */
  readonly looks: number
}

export function lookingFor(wantedLimitMs: number): Looking {
  const limitMs = Math.min(wantedLimitMs, longestLimitMs)
  const betweenMs = Math.min(longestBetweenLooksMs, Math.ceil(limitMs / looksPerLimit))
  return { limitMs, betweenMs, looks: Math.ceil(limitMs / betweenMs) }
}

import type { DestinationOutcome } from '@bkp/core'
import { bytes, counted, safe } from './text.js'

/** How one destination of a run came off. */
export function outcomeLine({ name, state, storedBytes, caughtUpObjects, message }: DestinationOutcome): string {
  const caughtUp = caughtUpObjects === 0 ? '' : `, ${counted(caughtUpObjects, 'object')} of them from earlier runs`
  if (state === 'complete') return `${safe(name)}: complete, ${bytes(storedBytes)} stored${caughtUp}`
  return `${safe(name)}: lags behind: ${safe(message ?? 'it could not be written')}`
}

import type { DestinationOutcome } from '@bkp/core'
import type { Places } from '../flags/places.js'
import { bytes, counted, safe } from './text.js'

/** How one destination of a run came off. */
export function outcomeLine({ name, state, storedBytes, caughtUpObjects, message }: DestinationOutcome): string {
  const caughtUp = caughtUpObjects === 0 ? '' : `, ${counted(caughtUpObjects, 'object')} of them from earlier runs`
  if (state === 'complete') return `${safe(name)}: complete, ${bytes(storedBytes)} stored${caughtUp}`
  return `${safe(name)}: lags behind: ${safe(message ?? 'it could not be written')}`
}

/** Whether fewer destinations have all of a run than must have it. */
export function isShort(destinations: readonly DestinationOutcome[], { require }: Pick<Places, 'require'>): boolean {
  const complete = destinations.filter(({ state }) => state === 'complete').length
  return complete < (require === 'all' ? destinations.length : require)
}

import { closest, distance } from 'fastest-levenshtein'

/** What somebody may have meant who wrote `given`; undefined when nothing is near enough to be a misspelling. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const wanted = given.toLowerCase()
  const byLowerCase = new Map(known.map((name) => [name.toLowerCase(), name]))
  const found = closest(wanted, [...byLowerCase.keys()])
  const most = Math.max(1, Math.floor(Math.max(found.length, wanted.length) / 3))
  return distance(wanted, found) <= most ? byLowerCase.get(found) : undefined
}

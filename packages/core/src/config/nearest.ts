import { closest, distance } from 'fastest-levenshtein'

/** What somebody may have meant who wrote `given`; undefined when nothing is near enough to be a misspelling. */
export function nearest(given: string, known: readonly string[]): string | undefined {
  if (known.length === 0) return undefined
  const wanted = given.toLowerCase()
  const byLowerCase = new Map(known.map((name) => [name.toLowerCase(), name]))
  const found = closest(wanted, [...byLowerCase.keys()])
  // Two letters that changed places count as two mistakes.
  const length = Math.max(found.length, wanted.length)
  const most = Math.min(Math.floor(length / 2), Math.max(2, Math.floor(length / 3)))
  return distance(wanted, found) <= most ? byLowerCase.get(found) : undefined
}

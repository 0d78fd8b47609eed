/** Which of some events are hit: those of these numbers, counted from 1; or some, the same ones for the same seed. */
export type Occasion =
  | { readonly kind: 'numbers'; readonly numbers: readonly number[] }
  | { readonly kind: 'every' }
  | { readonly kind: 'random'; readonly probability: number; readonly seed: number }

/** Hits the first so many. */
export function firstOnes(count: number): Occasion {
  return { kind: 'numbers', numbers: Array.from({ length: count }, (_, n) => n + 1) }
}

/** Tells for each number whether it is hit. */
export function occasions(when: Occasion): (number: number) => boolean {
  if (when.kind === 'every') return () => true
  if (when.kind === 'numbers') return (number) => when.numbers.includes(number)
  return (number) => seededFraction(when.seed, number) < when.probability
}

/** From 0 to less than 1, the same for the same seed and number; without a state that the order of calls could change. */
export function seededFraction(seed: number, number: number): number {
  // mulberry32, Ettinger 2017.
  let mixed = (seed + Math.imul(number, 0x6d2b79f5)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
}

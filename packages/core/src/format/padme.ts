/**
 * The Padmé length for `length` bytes: at most 12% more, and so few different lengths that a length tells little.
 * Source: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019.
 */
export function padmeLength(length: number): number {
  if (length < 2) return length
  const exponent = Math.floor(Math.log2(length))
  const significant = Math.floor(Math.log2(exponent)) + 1
  const step = 2 ** Math.max(0, exponent - significant)
  return Math.ceil(length / step) * step
}

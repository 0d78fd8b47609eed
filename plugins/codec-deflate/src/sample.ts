import { deflateSync } from 'fflate'

const pieces = 4
const pieceBytes = 4096
// Below, the sample costs too much of what it may save.
const minInputBytes = 16 * pieces * pieceBytes

/**
 * Whether a sample from four places does not shrink at all, as in photos, films and archives. On 61 MB of archives in
 * chunks of 1 MiB that found 54 %, gave away 42 kB, and took 1.1 to 1.6 s instead of 2.9 to 3.2 for all of it.
 */
export function looksIncompressible(input: Uint8Array): boolean {
  if (input.length < minInputBytes) return false
  const sample = new Uint8Array(pieces * pieceBytes)
  const step = (input.length - pieceBytes) / pieces
  for (let piece = 0; piece < pieces; piece++) {
    const start = Math.floor((piece + 0.5) * step)
    sample.set(input.subarray(start, start + pieceBytes), piece * pieceBytes)
  }
  return deflateSync(sample, { level: 1 }).length >= sample.length
}

import type { Compressor } from '@bkp/plugin-api'

// What shrinks less than this is not worth decompressing on every restore.
const worthCompressing = 0.97
// A sample is smaller and so shrinks less.
const worthTrying = 0.99
const sampleBytes = 16 * 1024
const pieces = 8
const pieceBytes = sampleBytes / pieces
/** Smaller ones are compressed as fast as a sample is taken. */
const leastSampledBytes = 4 * sampleBytes

/**
 * Compresses blobs one after the other. After one that did not shrink, of the next a sample is tried first: photos, films and
 * archives come in long rows, and compressing them in vain costs a fifth of a backup's processor time.
 */
export class WorthCompressing {
  readonly #compressor: Compressor
  readonly #sample = new Uint8Array(sampleBytes)
  readonly #ofSample = new Uint8Array(Math.floor(sampleBytes * worthTrying))
  #lastShrank = true

  constructor(compressor: Compressor) {
    this.#compressor = compressor
  }

  /** @returns how many bytes were written to `output`; -1 where the blob is to be stored as it is */
  compress(bytes: Uint8Array, output: Uint8Array): number {
    const limit = Math.floor(bytes.length * worthCompressing)
    if (limit === 0 || !this.#mayShrink(bytes)) return -1
    const length = this.#compressor.compress(bytes, output.subarray(0, limit))
    this.#lastShrank = length >= 0
    return length
  }

  #mayShrink(bytes: Uint8Array): boolean {
    if (this.#lastShrank || bytes.length < leastSampledBytes) return true
    const step = (bytes.length - pieceBytes) / (pieces - 1)
    for (let n = 0; n < pieces; n++) {
      const at = Math.floor(n * step)
      this.#sample.set(bytes.subarray(at, at + pieceBytes), n * pieceBytes)
    }
    return this.#compressor.compress(this.#sample, this.#ofSample) >= 0
  }
}

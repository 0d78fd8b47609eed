import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { type Compressor, PortError } from '@bkp/plugin-api'

/** Brotli (RFC 7932) as Node has it. */
export class BrotliCompressor implements Compressor {
  readonly #level: number

  constructor(level: number) {
    this.#level = level
  }

  compress(input: Uint8Array, output: Uint8Array): number {
    if (output.length === 0) return -1
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: this.#level,
      [constants.BROTLI_PARAM_SIZE_HINT]: input.length,
    }
    try {
      // The limit makes it stop when it sees that the result does not fit.
      const compressed = brotliCompressSync(input, { params, maxOutputLength: output.length })
      output.set(compressed)
      return compressed.length
    } catch (error) {
      if (isTooLarge(error)) return -1
      throw error
    }
  }

  decompress(input: Uint8Array, output: Uint8Array): void {
    const plain = this.#inflate(input, output.length)
    if (plain.length !== output.length)
      throw new PortError('corrupt', `A Brotli stream holds ${plain.length} bytes instead of ${output.length}`)
    output.set(plain)
  }

  /** Never allocates more than was recorded, whatever the stream claims. */
  #inflate(input: Uint8Array, expectedBytes: number): Uint8Array {
    try {
      return brotliDecompressSync(input, { maxOutputLength: Math.max(1, expectedBytes) })
    } catch (cause) {
      throw new PortError('corrupt', 'A Brotli stream is damaged, or longer than it should be', { cause })
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}

import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { type Compressor, PortError } from '@bkp/plugin-api'

/** Brotli by node:zlib, which has it in every version of Node. Worker threads may block: the synchronous calls are right here. */
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
      const compressed = brotliCompressSync(input, { params, maxOutputLength: output.length })
      output.set(compressed)
      return compressed.length
    } catch (error) {
      if (isTooLarge(error)) return -1
      throw error
    }
  }

  decompress(input: Uint8Array, output: Uint8Array): void {
    const plain = this.#decompressUpTo(output.length, input)
    if (plain.length !== output.length) {
      throw new PortError('corrupt', `A brotli stream holds ${plain.length} bytes instead of ${output.length}`)
    }
    output.set(plain)
  }

  /** A few bytes that claim to be gigabytes end here, before they take the memory. */
  #decompressUpTo(mostBytes: number, input: Uint8Array): Uint8Array {
    try {
      // Node takes no limit of 0.
      return brotliDecompressSync(input, { maxOutputLength: Math.max(1, mostBytes) })
    } catch (cause) {
      const message = isTooLarge(cause)
        ? `A brotli stream holds more than ${mostBytes} bytes`
        : 'A brotli stream is damaged'
      throw new PortError('corrupt', message, { cause })
    }
  }
}

function isTooLarge(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
}

import { type Compressor, isPortError } from '@bkp/plugin-api'
import { BkpError, damaged } from '../errors/index.js'
import type { PartSealer } from '../format/sealed-object.js'
import { type Codecs, noCompressionNumber } from './codecs.js'

/** Decrypts and decompresses blobs one after the other, in memory that grows to the largest. */
export class BlobDecoder {
  readonly #codecs: Codecs
  #inner = new Uint8Array(0)
  #plain = new Uint8Array(0)

  constructor(codecs: Codecs) {
    this.#codecs = codecs
  }

  /**
   * Does not look at the id. Takes numbers and no object of them: it is called for each blob.
   * @param offset where it begins in the pack
   * @param compression its position in the list of compressions
   * @returns memory that the next call uses again
   * @throws BkpError `damaged`, `missing-plugin`, `plugin-failed`
   */
  decode(
    pack: Uint8Array,
    sealer: PartSealer,
    offset: number,
    sealedLength: number,
    plainLength: number,
    compression: number,
  ): Uint8Array {
    const innerLength = sealedLength - sealer.overheadBytes
    const end = offset + sealedLength
    if (end > pack.length || innerLength < 0)
      throw new BkpError('damaged', `A blob is said to lie from ${offset} to ${end} in a pack of ${pack.length} bytes`)
    const sealed = pack.subarray(offset, end)
    this.#plain = grown(this.#plain, plainLength)
    const plain = this.#plain.subarray(0, plainLength)
    if (compression === noCompressionNumber && innerLength === plainLength) sealer.open(offset, sealed, plain)
    else {
      this.#inner = grown(this.#inner, innerLength)
      const inner = this.#inner.subarray(0, innerLength)
      sealer.open(offset, sealed, inner)
      decompress(this.#codecs.compressor(compression), inner, plain)
    }
    return plain
  }
}

function grown(memory: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  return memory.length < length ? new Uint8Array(length * 2) : memory
}

function decompress(compressor: Compressor, input: Uint8Array, output: Uint8Array): void {
  try {
    compressor.decompress(input, output)
  } catch (cause) {
    if (!isPortError(cause, 'corrupt')) throw cause
    throw damaged(cause.message, cause)
  }
}

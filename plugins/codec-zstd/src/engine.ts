/** One implementation of Zstandard. Neither method checks the frame: {@link ZstdCompressor} does. */
export interface ZstdEngine {
  /** Returns the bytes written, or -1 if one whole frame does not fit into `output`. */
  compress(input: Uint8Array, output: Uint8Array): number
  /**
   * Returns the bytes written, never more than `output` has.
   * @throws whatever the library throws for damaged bytes
   */
  decompress(input: Uint8Array, output: Uint8Array): number
}

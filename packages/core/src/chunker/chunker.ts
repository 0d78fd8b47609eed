/** Sizes of chunks in bytes (docs/format.md, section 4). */
export const minChunkBytes = 256 * 1024
export const normalChunkBytes = 1024 * 1024
export const maxChunkBytes = 4 * 1024 * 1024

/** Memory of a chunker: four of the largest chunks, so that what is moved to the front is little beside what is read. */
export const chunkerBufferBytes = 4 * maxChunkBytes

/** Before the normal size a cut needs 22 zero bits, after it 18 (normalised chunking, level 2). */
export const strictMask = 0xfffffc00
export const looseMask = 0xffffc000

/**
 * Cuts a stream of bytes by content: FastCDC (Xia et al., USENIX ATC 2016) with a keyed gear table. The reader puts bytes
 * into `buffer`; nothing is copied.
 */
export interface Chunker {
  readonly implementation: 'webassembly' | 'typescript'
  /** Where the reader puts the bytes. */
  readonly buffer: Uint8Array
  /**
   * @param start where the chunk begins in `buffer`
   * @param end where the bytes in `buffer` end
   * @param isLast whether the stream ends at `end`
   * @returns the length of the chunk in bytes; 0 when more are needed to tell (fewer than the maximum are there and
   *   `isLast` is false), or none are left
   * @throws RangeError when `start` and `end` are no range of `buffer`
   */
  cut(start: number, end: number, isLast: boolean): number
}

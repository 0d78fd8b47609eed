import type { FileReader } from '@bkp/plugin-api'
import type { Chunker } from '../../chunker/index.js'

/** Reads a file into the chunker's memory and hands on its chunks, as views that are valid during the call. */
export class FileChunker {
  readonly #chunker: Chunker

  constructor(chunker: Chunker) {
    this.#chunker = chunker
  }

  /** @returns how many bytes the reader gave */
  async read(reader: FileReader, onChunk: (chunk: Uint8Array) => void): Promise<number> {
    const { buffer } = this.#chunker
    let start = 0
    let end = 0
    let total = 0
    let last = false
    for (;;) {
      while (!last && end < buffer.length) {
        const reading = reader.read(end === 0 ? buffer : buffer.subarray(end))
        const count = typeof reading === 'number' ? reading : await reading
        end += count
        total += count
        // When the size is reached there is no need to ask for the end: growth shows when the file is closed.
        last = count === 0 || (total === reader.sizeBytes && reader.extents === undefined)
      }
      for (let length = this.#chunker.cut(start, end, last); length > 0; length = this.#chunker.cut(start, end, last)) {
        onChunk(buffer.subarray(start, start + length))
        start += length
      }
      if (last && start === end) return total
      buffer.copyWithin(0, start, end)
      end -= start
      start = 0
    }
  }
}

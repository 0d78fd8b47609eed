import type { Readable } from 'node:stream'
import type { FileReader, ReadOutcome } from '@bkp/plugin-api'

/** Pulls from a stream, which is paused while nobody reads. */
export class StreamReader implements FileReader {
  readonly extents = undefined
  /** Unknown. */
  readonly sizeBytes = 0
  readonly #stream: Readable
  readonly #pieces: AsyncIterator<Buffer>
  #rest: Buffer = Buffer.alloc(0)
  #isAtEnd = false

  constructor(stream: Readable) {
    this.#stream = stream
    this.#pieces = stream.iterator({ destroyOnReturn: true }) as AsyncIterator<Buffer>
  }

  /** Whether everything has been read. */
  get isAtEnd(): boolean {
    return this.#isAtEnd
  }

  async read(into: Uint8Array): Promise<number> {
    while (this.#rest.length === 0) {
      if (this.#isAtEnd) return 0
      const next = await this.#pieces.next()
      if (next.done === true) this.#isAtEnd = true
      else this.#rest = next.value
    }
    const count = Math.min(this.#rest.length, into.length)
    into.set(this.#rest.subarray(0, count))
    this.#rest = this.#rest.subarray(count)
    return count
  }

  /** `changed` when closed before the end: what was read is not the whole. */
  close(): ReadOutcome | Promise<ReadOutcome> {
    this.#stream.destroy()
    return this.#isAtEnd ? 'stable' : 'changed'
  }
}

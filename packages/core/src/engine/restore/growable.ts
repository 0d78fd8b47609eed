/** Bytes that grow at their end, in one piece of memory. */
export class ByteList {
  #bytes = new Uint8Array(4096)
  #length = 0

  append(bytes: Uint8Array): void {
    const end = this.#length + bytes.length
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(bytes, this.#length)
    this.#length = end
  }

  /** A view that is valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
}

/** Rows of unsigned 32-bit numbers, in one piece of memory. */
export class RowList {
  readonly #width: number
  #words: Uint32Array
  #count = 0

  /** @param width numbers in a row */
  constructor(width: number) {
    this.#width = width
    this.#words = new Uint32Array(width * 256)
  }

  get count(): number {
    return this.#count
  }

  append(row: readonly number[]): void {
    const at = this.#count * this.#width
    if (at === this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length)
      larger.set(this.#words)
      this.#words = larger
    }
    for (let n = 0; n < this.#width; n++) this.#words[at + n] = row[n] as number
    this.#count++
  }

  at(row: number, column: number): number {
    return this.#words[row * this.#width + column] as number
  }

  /** The first `words` columns of a row are put into `into` at `position`. */
  copy(row: number, words: number, into: Uint32Array, position: number): void {
    const from = row * this.#width
    for (let n = 0; n < words; n++) into[position + n] = this.#words[from + n] as number
  }

  /** A copy of all rows. */
  words(): Uint32Array {
    return this.#words.slice(0, this.#count * this.#width)
  }
}

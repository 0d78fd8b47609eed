/** Numbers below 2³² that grow at their end, in one piece of memory. */
export class EntryList {
  #words = new Uint32Array(256)
  #length = 0

  get length(): number {
    return this.#length
  }

  append(value: number): void {
    if (this.#length === this.#words.length) {
      const larger = new Uint32Array(2 * this.#words.length)
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[this.#length++] = value
  }

  /** A view that is valid until the next change. */
  view(): Uint32Array {
    return this.#words.subarray(0, this.#length)
  }
}

/** A growable list of 32-byte ids in one piece of memory, for reuse. */
export class IdList {
  #bytes = new Uint8Array(32 * 64)
  #length = 0

  get count(): number {
    return this.#length / 32
  }

  clear(): void {
    this.#length = 0
  }

  append(id: Uint8Array): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#bytes.set(id, this.#length)
    this.#length += 32
  }

  appendAll(ids: Uint8Array): void {
    for (let at = 0; at < ids.length; at += 32) this.append(ids.subarray(at, at + 32))
  }

  /** A view that is valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

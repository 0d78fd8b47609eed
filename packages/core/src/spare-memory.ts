import { mayBeUsedAgain } from './memory-in-doubt.js'

/**
 * Memory of the size of packs that is used again: fresh memory of that size costs as much as what is done with it, and would pile
 * up between two garbage collections.
 */
export class SpareMemory<Memory extends ArrayBufferLike> {
  readonly #allocate: (bytes: number) => Memory
  readonly #most: number
  readonly #free: Memory[] = []

  /** @param most pieces that are kept */
  constructor(allocate: (bytes: number) => Memory, most: number = Number.POSITIVE_INFINITY) {
    this.#allocate = allocate
    this.#most = most
  }

  /** The beginning of a piece that is long enough, not cleared. */
  take(bytes: number): Uint8Array<Memory> {
    const at = this.#free.findIndex(({ byteLength }) => byteLength >= bytes)
    const [memory = this.#allocate(bytes)] = at < 0 ? [] : this.#free.splice(at, 1)
    return new Uint8Array(memory, 0, bytes)
  }

  /** Takes memory back, unless an attempt that was given up may still use it. */
  giveBack(memory: Memory): void {
    if (mayBeUsedAgain(memory) && this.#free.length < this.#most) this.#free.push(memory)
  }
}

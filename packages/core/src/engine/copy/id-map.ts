import { notFound } from '../../repository/chunk-table.js'

const unknown = 0
const damaged = -1

/**
 * Which blob of the target each blob of the source is: by the entry in the source's table the entry in the target's, in
 * shared memory for all threads. 4 bytes a blob.
 */
export class IdMap {
  readonly memory: SharedArrayBuffer
  readonly #targets: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#targets = new Int32Array(memory)
  }

  /** @param count entries of the source's table */
  static create(count: number): IdMap {
    return new IdMap(new SharedArrayBuffer(count * 4))
  }

  /** The entry in the target's table, or `notFound` for what was not copied (yet). */
  targetOf(entry: number): number {
    const value = Atomics.load(this.#targets, entry)
    return value > unknown ? value - 1 : notFound
  }

  set(entry: number, target: number): void {
    Atomics.store(this.#targets, entry, target + 1)
  }

  /** Notes that a blob cannot be read, so that it is not tried again. */
  markDamaged(entry: number): void {
    Atomics.store(this.#targets, entry, damaged)
  }

  isDamaged(entry: number): boolean {
    return Atomics.load(this.#targets, entry) === damaged
  }
}

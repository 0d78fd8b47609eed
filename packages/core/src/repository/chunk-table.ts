/**
 * Which blobs exist and where: one hash table in shared memory for all threads, without locks.
 *
 * Entries are 48 bytes (twelve u32: id, pack + 1, offset, sealed length, plain length | compression << 25),
 * appended by an atomic counter; slots hold entry + 1 and are claimed by compare-and-swap. Instead of growing, a fuller
 * table gets a further, larger slot array (a generation). Memory that was never touched costs nothing.
 */

/** What a thread needs to attach. Shared memory only. */
export interface ChunkTableHandle {
  readonly control: SharedArrayBuffer
  readonly slots: readonly SharedArrayBuffer[]
  readonly segments: readonly SharedArrayBuffer[]
}

const entryWords = 12
// 48 MiB each: memory of at least 32 MiB always comes fresh from the system, which gives pages only when they are used. Smaller
// pieces are taken from what was freed before and filled with zeros, so that a second run of a process takes gigabytes.
const segmentShift = 20
const segmentEntries = 1 << segmentShift
const segmentMask = segmentEntries - 1
const maximumLoad = 0.7
const plainLengthBits = 25
const plainLengthMask = (1 << plainLengthBits) - 1
const growth = [1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 25]

/** Returned by {@link ChunkTable.find} for an unknown id. */
export const notFound = -1

export class ChunkTable {
  readonly handle: ChunkTableHandle
  readonly #control: Int32Array
  readonly #slots: readonly Int32Array[]
  readonly #segments: readonly Uint32Array[]
  /** First entry number that a generation does not take any more. */
  readonly #limits: readonly number[]
  #spare = notFound

  private constructor(handle: ChunkTableHandle) {
    this.handle = handle
    this.#control = new Int32Array(handle.control)
    this.#slots = handle.slots.map((buffer) => new Int32Array(buffer))
    this.#segments = handle.segments.map((buffer) => new Uint32Array(buffer))
    let limit = 0
    this.#limits = this.#slots.map((slots) => {
      limit += Math.floor(slots.length * maximumLoad)
      return limit
    })
  }

  /**
   * @param known how many entries will be loaded at first
   * @param room how many more may be claimed after that
   */
  static create(known: number, room: number): ChunkTable {
    const sizes = [powerOfTwo(Math.ceil((known + 1) / maximumLoad))]
    let capacity = Math.floor((sizes[0] ?? 0) * maximumLoad)
    for (const size of growth) {
      if (capacity >= known + room) break
      sizes.push(size)
      capacity += Math.floor(size * maximumLoad)
    }
    const segmentCount = Math.ceil(capacity / segmentEntries) + 1
    return new ChunkTable({
      control: new SharedArrayBuffer(8),
      slots: sizes.map((size) => new SharedArrayBuffer(size * 4)),
      segments: Array.from({ length: segmentCount }, () => new SharedArrayBuffer(segmentEntries * entryWords * 4)),
    })
  }

  static attach(handle: ChunkTableHandle): ChunkTable {
    return new ChunkTable(handle)
  }

  /** How many entries there are. */
  get count(): number {
    return Atomics.load(this.#control, 0)
  }

  /** @param id the eight words of a blob id */
  find(id: Uint32Array): number {
    for (let generation = 0; generation < this.#slots.length; generation++) {
      const entry = this.#probe(generation, id)
      if (entry !== notFound) return entry
      if (this.count < (this.#limits[generation] ?? 0)) break
    }
    return notFound
  }

  /**
   * Enters an id. Of several threads that claim one id at once (in one generation) exactly one gets it.
   * @returns the new entry, or `-2 - entry` for an entry that was there
   * @throws RangeError when the table is full
   */
  claim(id: Uint32Array): number {
    const current = this.#currentGeneration()
    for (let generation = 0; generation < current; generation++) {
      const entry = this.#probe(generation, id)
      if (entry !== notFound) return -2 - entry
    }
    const slots = this.#slots[current] as Int32Array
    const mask = slots.length - 1
    let slot = (id[0] as number) & mask
    for (;;) {
      const value = Atomics.load(slots, slot)
      if (value === 0) {
        const entry = this.#reserve(id)
        const seen = Atomics.compareExchange(slots, slot, 0, entry + 1)
        if (seen === 0) {
          this.#spare = notFound
          return entry
        }
        if (this.#matches(seen - 1, id)) return -2 - (seen - 1)
      } else if (this.#matches(value - 1, id)) return -2 - (value - 1)
      slot = (slot + 1) & mask
    }
  }

  /**
   * Enters all blobs of a pack, while no other thread has the table yet: in one loop without atomic operations, because
   * opening a repository waits for it. An id that is there already stays where it is.
   * @param rows twelve words each, as in an index segment
   * @param compressions the table's numbers of the pack's compressions
   * @param sharing is given the numbers of packs that have a blob in common
   */
  load(pack: number, rows: Uint32Array, compressions: readonly number[], sharing?: Set<number>): void {
    const slots = this.#slots[0] as Int32Array
    const mask = slots.length - 1
    const control = this.#control
    let count = control[0] as number
    for (let from = 0; from < rows.length; from += entryWords) {
      if (count >= (this.#limits[0] as number)) throw new RangeError('The table was made for fewer blobs')
      let slot = (rows[from] as number) & mask
      let value = slots[slot] as number
      while (value !== 0 && !this.#isAt(value - 1, rows, from)) {
        slot = (slot + 1) & mask
        value = slots[slot] as number
      }
      if (value !== 0) {
        const other = this.packOf(value - 1)
        if (other !== pack) sharing?.add(other).add(pack)
        continue
      }
      const words = this.#segments[count >>> segmentShift] as Uint32Array
      const at = (count & segmentMask) * entryWords
      for (let word = 0; word < 8; word++) words[at + word] = rows[from + word] as number
      const compression = compressions[(rows[from + 11] as number) & 0xff] as number
      words[at + 8] = pack + 1
      words[at + 9] = rows[from + 8] as number
      words[at + 10] = rows[from + 9] as number
      words[at + 11] = (rows[from + 10] as number) | (compression << plainLengthBits)
      slots[slot] = ++count
    }
    control[0] = count
  }

  setLocation(
    entry: number,
    pack: number,
    offset: number,
    sealedLength: number,
    plainLength: number,
    compression: number,
  ): void {
    const words = this.#segments[entry >>> segmentShift] as Uint32Array
    const at = (entry & segmentMask) * entryWords
    words[at + 9] = offset
    words[at + 10] = sealedLength
    words[at + 11] = plainLength | (compression << plainLengthBits)
    words[at + 8] = pack + 1
  }

  /** Number of the pack, or -1 while the blob is on its way. */
  packOf(entry: number): number {
    return this.#word(entry, 8) - 1
  }

  offsetOf(entry: number): number {
    return this.#word(entry, 9)
  }

  sealedLengthOf(entry: number): number {
    return this.#word(entry, 10)
  }

  plainLengthOf(entry: number): number {
    return this.#word(entry, 11) & plainLengthMask
  }

  compressionOf(entry: number): number {
    return this.#word(entry, 11) >>> plainLengthBits
  }

  /** Copies the id of an entry. */
  idOf(entry: number, into: Uint32Array): void {
    const words = this.#segments[entry >>> segmentShift] as Uint32Array
    const at = (entry & segmentMask) * entryWords
    for (let i = 0; i < 8; i++) into[i] = words[at + i] as number
  }

  #word(entry: number, index: number): number {
    return (this.#segments[entry >>> segmentShift] as Uint32Array)[(entry & segmentMask) * entryWords + index] as number
  }

  #currentGeneration(): number {
    const count = this.count
    for (let generation = 0; generation < this.#limits.length; generation++) {
      if (count < (this.#limits[generation] as number)) return generation
    }
    throw new RangeError('The table of blobs is full')
  }

  /** Takes an entry and writes the id into it. What loses the race for a slot is used again. */
  #reserve(id: Uint32Array): number {
    if (this.#spare === notFound) this.#spare = Atomics.add(this.#control, 0, 1)
    const words = this.#segments[this.#spare >>> segmentShift] as Uint32Array
    const at = (this.#spare & segmentMask) * entryWords
    for (let i = 0; i < 8; i++) words[at + i] = id[i] as number
    return this.#spare
  }

  #probe(generation: number, id: Uint32Array): number {
    const slots = this.#slots[generation] as Int32Array
    const mask = slots.length - 1
    let slot = (id[0] as number) & mask
    for (;;) {
      const value = Atomics.load(slots, slot)
      if (value === 0) return notFound
      if (this.#matches(value - 1, id)) return value - 1
      slot = (slot + 1) & mask
    }
  }

  #matches(entry: number, id: Uint32Array): boolean {
    return this.#isAt(entry, id, 0)
  }

  #isAt(entry: number, ids: Uint32Array, from: number): boolean {
    const words = this.#segments[entry >>> segmentShift] as Uint32Array
    const at = (entry & segmentMask) * entryWords
    return (
      words[at] === ids[from] &&
      words[at + 1] === ids[from + 1] &&
      words[at + 2] === ids[from + 2] &&
      words[at + 3] === ids[from + 3] &&
      words[at + 4] === ids[from + 4] &&
      words[at + 5] === ids[from + 5] &&
      words[at + 6] === ids[from + 6] &&
      words[at + 7] === ids[from + 7]
    )
  }
}

function powerOfTwo(atLeast: number): number {
  let size = 1 << 12
  while (size < atLeast) size *= 2
  return size
}

/**
 * What earlier runs found in directories: which listing has which trees. A record is, little-endian:
 *
 *   u32 length of the record; u32 files; u32 others; u32 tree ids; u32 directories; u32 0; f64 bytes of files; 32 bytes key;
 *   the tree ids; for each directory that was scanned u32 place in the listing, u32 tree ids, these ids.
 */
const fixedBytes = 64
const keyAt = 32
const idBytes = 32

/** The trees of a directory inside another. */
export interface ChildTrees {
  /** Which of the listing's directories it is. */
  readonly index: number
  readonly tree: Uint8Array
}

/** How a directory came out. */
export interface ScanRecord {
  readonly files: number
  /** Neither files nor directories. */
  readonly others: number
  /** Of its files. */
  readonly bytes: number
  readonly tree: Uint8Array
  /** In the order in which they are scanned. */
  readonly children: readonly ChildTrees[]
}

/** Records of an earlier run, found by key. Views on its memory. */
export class KnownScans {
  readonly #bytes: Uint8Array
  readonly #words: Uint32Array
  readonly #view: DataView
  /** Position + 1 of a record, in words, at the place that its key gives. */
  readonly #slots: Int32Array
  readonly #mask: number

  /**
   * @param bytes begin at a multiple of 4; the run waits for this, so nothing is looked at but lengths and keys
   * @throws RangeError when these are no records
   */
  constructor(bytes: Uint8Array) {
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
    const starts: number[] = []
    for (let at = 0; at < words.length; ) {
      const length = (words[at] as number) / 4
      if (length < fixedBytes / 4 || at + length > words.length) throw new RangeError('A scan record is cut short')
      starts.push(at)
      at += length
    }
    let size = 16
    while (size < starts.length * 2) size *= 2
    const slots = new Int32Array(size)
    const mask = size - 1
    for (const start of starts) {
      let slot = (words[start + keyAt / 4] as number) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = start + 1
    }
    this.#bytes = bytes
    this.#words = words
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#slots = slots
    this.#mask = mask
  }

  /** @param key 8 words @returns where the record is */
  find(key: Uint32Array): number | undefined {
    const words = this.#words
    for (let slot = (key[0] as number) & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const start = (this.#slots[slot] as number) - 1
      if (start < 0) return undefined
      let same = 0
      while (same < 8 && words[start + keyAt / 4 + same] === key[same]) same++
      if (same === 8) return start * 4
    }
  }

  /** The record as it stands in memory. */
  encoded(start: number): Uint8Array {
    return this.#bytes.subarray(start, start + this.#view.getUint32(start, true))
  }

  /** @throws RangeError when the record is not one */
  record(start: number): ScanRecord {
    const view = this.#view
    const end = start + view.getUint32(start, true)
    const treeIds = view.getUint32(start + 12, true)
    const children: ChildTrees[] = []
    let at = start + fixedBytes + treeIds * idBytes
    for (let child = view.getUint32(start + 16, true); child > 0 && at + 8 <= end; child--) {
      const ids = at + 8
      const index = view.getUint32(at, true)
      at = ids + view.getUint32(at + 4, true) * idBytes
      children.push({ index, tree: this.#bytes.subarray(ids, at) })
    }
    if (at !== end) throw new RangeError('A scan record is longer or shorter than it says')
    return {
      files: view.getUint32(start + 4, true),
      others: view.getUint32(start + 8, true),
      bytes: view.getFloat64(start + 24, true),
      tree: this.#bytes.subarray(start + fixedBytes, start + fixedBytes + treeIds * idBytes),
      children,
    }
  }
}

/** Collects the records of one thread. */
export class NewScans {
  readonly #most: number
  #bytes = new Uint8Array(64 * 1024)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  /** @param mostBytes further records are left out */
  constructor(mostBytes: number) {
    this.#most = mostBytes
  }

  /** A view that is valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** @param encoded a record as it is */
  copy(encoded: Uint8Array): void {
    if (this.#reserve(encoded.length)) this.#bytes.set(encoded, this.#length - encoded.length)
  }

  add(key: Uint8Array, { files, others, bytes, tree, children }: ScanRecord): void {
    const length = fixedBytes + tree.length + children.reduce((sum, child) => sum + 8 + child.tree.length, 0)
    if (!this.#reserve(length)) return
    const start = this.#length - length
    const view = this.#view
    const fields = [length, files, others, tree.length / idBytes, children.length, 0]
    for (const [n, field] of fields.entries()) view.setUint32(start + n * 4, field, true)
    view.setFloat64(start + 24, bytes, true)
    this.#bytes.set(key, start + keyAt)
    this.#bytes.set(tree, start + fixedBytes)
    let at = start + fixedBytes + tree.length
    for (const child of children) {
      view.setUint32(at, child.index, true)
      view.setUint32(at + 4, child.tree.length / idBytes, true)
      this.#bytes.set(child.tree, at + 8)
      at += 8 + child.tree.length
    }
  }

  #reserve(more: number): boolean {
    const length = this.#length + more
    if (length > this.#most) return false
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, this.#length))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    this.#length = length
    return true
  }
}

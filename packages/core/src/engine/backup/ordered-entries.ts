import { EntryEncoder } from '../../format/tree-writer.js'
import type { KnownEntries } from './known-entries.js'

/**
 * The encoded entries of one directory in order, some of them still on their way. As long as all is as it was in the parent,
 * nothing is encoded.
 */
export class OrderedEntries {
  readonly #known: KnownEntries
  readonly #encoder = new EntryEncoder()
  readonly #pieces: (Uint8Array | Promise<Uint8Array>)[] = []
  #isAsBefore = true

  constructor(known: KnownEntries) {
    this.#known = known
  }

  /** Where the next entry is encoded. */
  get encoder(): EntryEncoder {
    if (this.#isAsBefore) {
      this.#isAsBefore = false
      for (const entries of this.#known.accepted()) this.#encoder.copy(entries)
    }
    return this.#encoder
  }

  /** Takes the entry that was found last in the parent. @returns false where it has to be encoded */
  accept(): boolean {
    return this.#isAsBefore && this.#known.accept()
  }

  /** Keeps a place for entries that come later. */
  keepPlace(entries: Promise<Uint8Array>): void {
    this.#cut()
    this.#pieces.push(entries)
  }

  /** Ids of the parent's trees where all is as it was there. */
  get treeAsBefore(): Uint8Array | undefined {
    return this.#isAsBefore ? this.#known.acceptedTree : undefined
  }

  /** All of them, or a promise where some are on their way. */
  whole(): readonly Uint8Array[] | Promise<readonly Uint8Array[]> {
    this.#cut()
    return this.#pieces.every((piece) => piece instanceof Uint8Array) ? this.#pieces : Promise.all(this.#pieces)
  }

  #cut(): void {
    const { encoder } = this
    if (encoder.length > 0) this.#pieces.push(encoder.view().slice())
    encoder.clear()
  }
}

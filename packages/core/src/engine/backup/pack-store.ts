import { indexKey, objectNameOf } from '../../format/ids.js'
import { encodeIndexSegment, type IndexPack } from '../../format/index-segment.js'
import type { PackKind } from '../../repository/pack-registry.js'

/** A pack that a worker has filled. */
export interface FilledPack {
  readonly name: string
  readonly kind: PackKind
  readonly bytes: Uint8Array
  readonly rows: Uint8Array
  readonly compressionIds: readonly string[]
}

/** Where packs and what names them go: all destinations of a run. */
export interface PackSink {
  /** Resolves when the memory of `bytes` may be used again. @throws when there is nowhere left to store it */
  pack(name: string, bytes: Uint8Array): Promise<void>
  /** Stores an object wherever, and after, all packs so far are durable. */
  putAfter(key: string, bytes: Uint8Array): void
}

export interface PackStoreOptions {
  readonly sink: PackSink
  /** Seals the payload of an index segment into a whole object. */
  readonly sealIndex: (payload: Uint8Array) => Uint8Array
  readonly onStored: (bytes: number) => void
  readonly now: () => number
}

// An index segment is written that often during long runs, so that an interrupted one is worth something.
const segmentEveryMs = 5 * 60_000
const segmentEveryRows = 200_000

/** Gives packs to the destinations, and the index segments that name them. */
export class PackStore {
  readonly #options: PackStoreOptions
  #pending: IndexPack[] = []
  #pendingRows = 0
  #segmentStarted: number
  readonly #segments: string[] = []
  readonly #inFlight = new Set<Promise<void>>()

  constructor(options: PackStoreOptions) {
    this.#options = options
    this.#segmentStarted = options.now()
  }

  /** Resolves when the memory of the pack may be used again. */
  put(pack: FilledPack): Promise<void> {
    const writing = this.#put(pack)
    this.#inFlight.add(writing)
    const forget = () => this.#inFlight.delete(writing)
    writing.then(forget, forget)
    return writing
  }

  /**
   * Waits for all packs, then gives out the index of what is not indexed yet.
   * @returns names of all index segments that were given out
   */
  async finish(): Promise<readonly string[]> {
    await Promise.all(this.#inFlight)
    this.#writeSegment()
    return this.#segments
  }

  async #put(pack: FilledPack): Promise<void> {
    const { sink, onStored } = this.#options
    await sink.pack(pack.name, pack.bytes)
    onStored(pack.bytes.length)
    this.#pending.push({
      name: pack.name,
      sizeBytes: pack.bytes.length,
      kind: pack.kind,
      compressionIds: pack.compressionIds,
      rows: pack.rows,
    })
    this.#pendingRows += pack.rows.length / 48
    if (this.#pendingRows >= segmentEveryRows || this.#options.now() - this.#segmentStarted >= segmentEveryMs) {
      this.#writeSegment()
    }
  }

  #writeSegment(): void {
    if (this.#pending.length === 0) return
    const packs = this.#pending
    this.#pending = []
    this.#pendingRows = 0
    this.#segmentStarted = this.#options.now()
    const { sink, sealIndex, onStored } = this.#options
    const bytes = sealIndex(encodeIndexSegment(packs))
    const name = objectNameOf(bytes)
    sink.putAfter(indexKey(name), bytes)
    this.#segments.push(name)
    onStored(bytes.length)
  }
}

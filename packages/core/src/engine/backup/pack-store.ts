import type { Storage } from '@bkp/plugin-api'
import { indexKey, objectNameOf, packKey } from '../../format/ids.js'
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

export interface PackStoreOptions {
  readonly storage: Storage
  /** Seals the payload of an index segment into a whole object. */
  readonly sealIndex: (payload: Uint8Array) => Uint8Array
  readonly onStored: (bytes: number) => void
  readonly now: () => number
  readonly signal: AbortSignal
}

// An index segment is written that often during long runs, so that an interrupted one is worth something.
const segmentEveryMs = 5 * 60_000
const segmentEveryRows = 200_000

/** Writes packs, and the index segments that name them only after they are durable. */
export class PackStore {
  readonly #options: PackStoreOptions
  #pending: IndexPack[] = []
  #pendingRows = 0
  #segmentStarted: number
  #writing: Promise<void> = Promise.resolve()
  readonly #inFlight = new Set<Promise<void>>()

  constructor(options: PackStoreOptions) {
    this.#options = options
    this.#segmentStarted = options.now()
  }

  /** Resolves when the pack is durable. */
  put(pack: FilledPack): Promise<void> {
    const writing = this.#put(pack)
    this.#inFlight.add(writing)
    const forget = () => this.#inFlight.delete(writing)
    writing.then(forget, forget)
    return writing
  }

  /** Waits for all packs, then writes the index of what is not indexed yet. */
  async finish(): Promise<void> {
    await Promise.all(this.#inFlight)
    this.#writeSegment()
    await this.#writing
  }

  async #put(pack: FilledPack): Promise<void> {
    const { storage, signal, onStored } = this.#options
    await storage.put(packKey(pack.name), pack.bytes, { signal })
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
      await this.#writing
    }
  }

  #writeSegment(): void {
    if (this.#pending.length === 0) return
    const packs = this.#pending
    this.#pending = []
    this.#pendingRows = 0
    this.#segmentStarted = this.#options.now()
    const { storage, sealIndex, signal, onStored } = this.#options
    this.#writing = this.#writing.then(async () => {
      const bytes = sealIndex(encodeIndexSegment(packs))
      await storage.put(indexKey(objectNameOf(bytes)), bytes, { signal })
      onStored(bytes.length)
    })
  }
}

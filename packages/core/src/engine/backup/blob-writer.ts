import { randomBytes } from 'node:crypto'
import { objectNameOf } from '../../format/ids.js'
import { maxBlobBytes } from '../../format/limits.js'
import { type FinishedPack, PackBuilder } from '../../format/pack.js'
import type { BlobReaderParts } from '../../repository/blob-reader.js'
import { noCompressionNumber } from '../../repository/codecs.js'
import type { PackKind } from '../../repository/pack-registry.js'
import type { WorkerCounters } from '../worker/shared-state.js'
import type { IdList } from './id-list.js'
import { WorthCompressing } from './worth-compressing.js'

/** Type byte of a blob. */
export const blobType = { data: 0, tree: 1, list: 2 } as const
export type BlobType = (typeof blobType)[keyof typeof blobType]

const openDataPacks = 2
/** Ids in one list blob: 1 MiB. */
const idsPerList = 32_768
/** Up to this many ids a file's content is listed in its entry. */
const idsInline = 1024

export interface BlobWriterOptions extends BlobReaderParts {
  readonly compression: { readonly number: number; readonly id: string }
  readonly cipherId: string
  readonly counters: WorkerCounters
  /** Whether packs are made in shared memory. */
  readonly sharesPacks: boolean
  /** Memory of a pack that was stored, if there is any. */
  readonly recycled: () => Uint8Array | undefined
  /** Takes a full pack; may block until there is room for it. */
  readonly emit: (pack: FinishedPack & { readonly name: string; readonly kind: PackKind }) => void
}

/** Deduplicates, compresses, seals and packs the blobs of one thread. */
export class BlobWriter {
  readonly #options: BlobWriterOptions
  readonly #data: PackBuilder[]
  readonly #metadata: PackBuilder
  /** Undefined where nothing is compressed. */
  readonly #worth: WorthCompressing | undefined
  readonly #scratch = new Uint8Array(maxBlobBytes)
  readonly #idWords = new Uint32Array(8)
  readonly #id = new Uint8Array(this.#idWords.buffer)
  readonly #randomness = new Uint8Array(256)
  #randomAt = 256

  constructor(options: BlobWriterOptions) {
    this.#options = options
    const { keys, repositoryId, codecs, cipherId, compression } = options
    const cipher = codecs.cipher(cipherId)
    const builder = (kind: 'data-pack' | 'metadata-pack') =>
      new PackBuilder({
        kind,
        repositoryId,
        wrappingKey: kind === 'data-pack' ? keys.data : keys.metadata,
        cipher,
        compressionIds: compression.number === noCompressionNumber ? ['none'] : ['none', compression.id],
        allocate: options.recycled,
        isShared: options.sharesPacks,
      })
    this.#data = Array.from({ length: openDataPacks }, () => builder('data-pack'))
    this.#metadata = builder('metadata-pack')
    if (compression.number !== noCompressionNumber)
      this.#worth = new WorthCompressing(codecs.compressor(compression.number))
  }

  /**
   * Stores a blob unless it is known, and appends its id to `ids`.
   * @param bytes 1 byte to 16 MiB
   */
  store(type: BlobType, bytes: Uint8Array, ids: IdList): void {
    this.enter(type, bytes)
    ids.append(this.#id)
  }

  /**
   * Stores a blob unless it is known.
   * @param bytes 1 byte to 16 MiB
   * @returns its entry of the table
   */
  enter(type: BlobType, bytes: Uint8Array): number {
    const { hasher, table, counters } = this.#options
    hasher.digest(type, bytes, this.#id, 0)
    const claimed = table.claim(this.#idWords)
    if (claimed < 0) return -2 - claimed
    this.#pack(type, bytes)
    counters.add('newBlobs')
    counters.add('newBytes', bytes.length)
    return claimed
  }

  /** Whether all ids of a list are known, so that what refers to them needs no reading. */
  knows(ids: Uint8Array): boolean {
    const { table } = this.#options
    for (let at = 0; at < ids.length; at += 32) {
      for (let i = 0; i < 32; i++) this.#id[i] = ids[at + i] as number
      if (table.find(this.#idWords) < 0) return false
    }
    return true
  }

  /** Puts long contents into list blobs; returns the depth of what `ids` holds afterwards. */
  fold(ids: IdList): number {
    let depth = 0
    while (ids.count > idsInline) {
      const all = ids.copy()
      ids.clear()
      for (let at = 0; at < all.length; at += idsPerList * 32)
        this.store(blobType.list, all.subarray(at, at + idsPerList * 32), ids)
      depth++
    }
    return depth
  }

  /** Hands over every pack that holds something. */
  flush(): void {
    for (const builder of this.#data) this.#finish(builder, 'data')
    this.#finish(this.#metadata, 'metadata')
  }

  #pack(type: BlobType, bytes: Uint8Array): void {
    const builder = type === blobType.data ? this.#pickDataPack() : this.#metadata
    if (!builder.fits(bytes.length)) this.#finish(builder, type === blobType.data ? 'data' : 'metadata')
    const length = this.#worth?.compress(bytes, this.#scratch) ?? -1
    if (length < 0) builder.add(this.#id, type, 0, bytes.length, bytes)
    else builder.add(this.#id, type, 1, bytes.length, this.#scratch.subarray(0, length))
  }

  #finish(builder: PackBuilder, kind: PackKind): void {
    if (builder.count === 0) return
    const finished = builder.finish()
    this.#options.emit({ ...finished, name: objectNameOf(finished.bytes), kind })
    builder.reset()
  }

  // At random, so that the sizes of what is stored do not tell where a file was cut.
  #pickDataPack(): PackBuilder {
    if (this.#randomAt === this.#randomness.length) {
      this.#randomness.set(randomBytes(this.#randomness.length))
      this.#randomAt = 0
    }
    return this.#data[(this.#randomness[this.#randomAt++] as number) % openDataPacks] as PackBuilder
  }
}

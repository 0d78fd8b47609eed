import { randomFillSync } from 'node:crypto'
import { damaged } from '../errors/index.js'
import { maxPackBytes } from './limits.js'
import { padmeLength } from './padme.js'
import { decodeCompressionIds, encodeCompressionIds, Rows, rowBytes, validateRows } from './rows.js'
import { type CipherInUse, headerBytes, newHeader, PartSealer, trailerPosition } from './sealed-object.js'

/** 16 MiB is a Padmé length, so that padding never leads beyond it. */
export const packCapacityBytes = 16 * 1024 * 1024
const trailerPlainBytes = 16

export interface PackBuilderOptions {
  readonly kind: 'data-pack' | 'metadata-pack'
  readonly repositoryId: string
  readonly wrappingKey: Uint8Array
  readonly cipher: CipherInUse
  /** Position is the number given to {@link PackBuilder.add}. */
  readonly compressionIds: readonly string[]
  /** Gives memory of {@link packCapacityBytes}, which need not be cleared; new memory is allocated where it gives none. */
  readonly allocate?: () => Uint8Array | undefined
  /** Whether what is allocated is shared memory, which every thread may read without a copy. */
  readonly isShared?: boolean
}

export interface FinishedPack {
  readonly bytes: Uint8Array
  readonly rows: Uint8Array
  readonly compressionIds: readonly string[]
}

/** Seals blobs one after the other into one piece of memory. */
export class PackBuilder {
  readonly #options: PackBuilderOptions
  readonly #overhead: number
  readonly #directoryBytes: number
  #buffer: Uint8Array = new Uint8Array(0)
  #rows = new Uint8Array(rowBytes * 256)
  #rowsView = new DataView(this.#rows.buffer)
  #sealer: PartSealer | undefined
  #length = 0
  #count = 0

  constructor(options: PackBuilderOptions) {
    this.#options = options
    this.#overhead = options.cipher.module.overheadBytes
    this.#directoryBytes = encodeCompressionIds(options.compressionIds).length + 2 * this.#overhead + trailerPlainBytes
  }

  /** Blobs in it. */
  get count(): number {
    return this.#count
  }

  /** Whether a blob of at most `bytes` bytes, directory and trailer still fit. An empty pack takes any blob. */
  fits(bytes: number): boolean {
    return this.#count === 0 || this.#needed(bytes) <= packCapacityBytes
  }

  /**
   * The caller has asked {@link fits}.
   * @param id 32 bytes
   * @param payload the blob, compressed by `compression`
   */
  add(id: Uint8Array, type: number, compression: number, plainLength: number, payload: Uint8Array): void {
    const sealer = this.#sealer ?? this.#begin(payload.length)
    const sealedLength = payload.length + this.#overhead
    if (this.#needed(payload.length) > this.#buffer.length) throw new RangeError('The pack has no room for this blob')
    sealer.seal(this.#length, payload, this.#buffer.subarray(this.#length, this.#length + sealedLength))
    if (this.#count * rowBytes === this.#rows.length) this.#growRows()
    const at = this.#count * rowBytes
    this.#rows.set(id, at)
    this.#rowsView.setUint32(at + 32, this.#length, true)
    this.#rowsView.setUint32(at + 36, sealedLength, true)
    this.#rowsView.setUint32(at + 40, plainLength, true)
    this.#rows[at + 44] = compression
    this.#rows[at + 45] = type
    this.#length += sealedLength
    this.#count++
  }

  /** Ends the pack. The bytes are the caller's; {@link reset} begins the next. */
  finish(): FinishedPack {
    const sealer = this.#sealer
    if (sealer === undefined) throw new RangeError('A pack without blobs is not written')
    const rows = this.#rows.slice(0, this.#count * rowBytes)
    const directory = Buffer.concat([encodeCompressionIds(this.#options.compressionIds), rows])
    const directoryOffset = this.#length
    const directoryLength = directory.length + this.#overhead
    sealer.seal(directoryOffset, directory, this.#buffer.subarray(directoryOffset, directoryOffset + directoryLength))
    const trailerLength = trailerPlainBytes + this.#overhead
    const total = padmeLength(directoryOffset + directoryLength + trailerLength)
    const bytes = this.#buffer.subarray(0, total)
    randomFillSync(bytes, directoryOffset + directoryLength, total - trailerLength - directoryOffset - directoryLength)
    const trailer = new DataView(new ArrayBuffer(trailerPlainBytes))
    trailer.setBigUint64(0, BigInt(directoryOffset), true)
    trailer.setUint32(8, directoryLength, true)
    trailer.setUint32(12, this.#count, true)
    sealer.seal(trailerPosition, new Uint8Array(trailer.buffer), bytes.subarray(total - trailerLength))
    return { bytes, rows, compressionIds: this.#options.compressionIds }
  }

  reset(): void {
    this.#sealer = undefined
    this.#buffer = new Uint8Array(0)
    this.#length = 0
    this.#count = 0
  }

  #needed(bytes: number): number {
    return this.#length + bytes + this.#overhead + this.#directoryBytes + (this.#count + 1) * rowBytes
  }

  #begin(firstBytes: number): PartSealer {
    const { kind, repositoryId, cipher, wrappingKey } = this.#options
    const { header, key } = newHeader(kind, repositoryId, cipher.module.id, wrappingKey)
    this.#length = headerBytes
    // Not cleared: every byte that leaves is written, by a blob, the directory, random padding or the trailer.
    const size = Math.max(packCapacityBytes, padmeLength(this.#needed(firstBytes)))
    this.#buffer = size === packCapacityBytes ? this.#allocate() : allocatePack(size, this.#options)
    this.#buffer.set(header)
    this.#sealer = new PartSealer(cipher, key, header)
    return this.#sealer
  }

  #allocate(): Uint8Array {
    return this.#options.allocate?.() ?? allocatePack(packCapacityBytes, this.#options)
  }

  #growRows(): void {
    const larger = new Uint8Array(this.#rows.length * 2)
    larger.set(this.#rows)
    this.#rows = larger
    this.#rowsView = new DataView(larger.buffer)
  }
}

function allocatePack(bytes: number, { isShared = false }: PackBuilderOptions): Uint8Array {
  if (isShared) return new Uint8Array(new SharedArrayBuffer(bytes))
  return new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
}

export interface PackDirectory {
  readonly compressionIds: readonly string[]
  readonly rows: Rows
}

/** How many bytes at the end of a pack {@link readTrailer} wants. */
export function trailerBytes(overheadBytes: number): number {
  return trailerPlainBytes + overheadBytes
}

/**
 * @param sealed the last {@link trailerBytes} of the pack
 * @throws BkpError `damaged`
 */
export function readTrailer(
  sealer: PartSealer,
  sealed: Uint8Array,
  packBytes: number,
): { readonly offset: number; readonly length: number; readonly count: number } {
  if (packBytes > maxPackBytes) throw damaged(`A pack of ${packBytes} bytes is larger than it can be`)
  if (sealed.length !== trailerBytes(sealer.overheadBytes)) throw damaged('A pack is cut short')
  const plain = new Uint8Array(trailerPlainBytes)
  sealer.open(trailerPosition, sealed, plain)
  const view = new DataView(plain.buffer)
  const offset = Number(view.getBigUint64(0, true))
  const length = view.getUint32(8, true)
  const count = view.getUint32(12, true)
  if (offset < headerBytes || offset + length + sealed.length > packBytes) {
    throw damaged('The trailer of a pack names a directory outside of the pack')
  }
  if (count * rowBytes + sealer.overheadBytes >= length)
    throw damaged('The trailer of a pack counts more blobs than its directory can hold')
  return { offset, length, count }
}

/**
 * @param sealed the sealed directory
 * @throws BkpError `damaged`
 */
export function readDirectory(
  sealer: PartSealer,
  sealed: Uint8Array,
  trailer: { readonly offset: number; readonly count: number },
  isMetadata: boolean,
): PackDirectory {
  const plain = new Uint8Array(Math.max(0, sealed.length - sealer.overheadBytes))
  sealer.open(trailer.offset, sealed, plain)
  const { ids, end } = decodeCompressionIds(plain)
  if (plain.length - end !== trailer.count * rowBytes)
    throw damaged('The directory of a pack has another length than its trailer says')
  const rows = new Rows(plain.subarray(end))
  validateRows(rows, ids.length, isMetadata, headerBytes, trailer.offset, sealer.overheadBytes)
  return { compressionIds: ids, rows }
}

import { BkpError } from '../errors/index.js'
import { headerBytes, PartSealer, parseHeader, unwrapObjectKey } from '../format/sealed-object.js'
import type { RepositoryKeys } from '../format/subkeys.js'
import type { KeyedHasher } from '../hash/keyed-hasher.js'
import { BlobDecoder } from './blob-decoder.js'
import type { ChunkTable } from './chunk-table.js'
import { notFound } from './chunk-table.js'
import type { Codecs } from './codecs.js'

/** Gives a whole pack. The bytes may lie in shared memory and are never written to. */
export type FetchPack = (pack: number) => Promise<Uint8Array>

/** A pack in memory with its key unwrapped. */
export interface OpenPack {
  readonly bytes: Uint8Array
  readonly sealer: PartSealer
}

export interface BlobReaderParts {
  readonly table: ChunkTable
  readonly codecs: Codecs
  readonly hasher: KeyedHasher
  readonly keys: RepositoryKeys
  readonly repositoryId: string
}

/** Unwraps the key of a pack. @throws BkpError `damaged`, `unsupported`, `missing-plugin` */
export function openPack(bytes: Uint8Array, parts: BlobReaderParts): OpenPack {
  const header = parseHeader(bytes, parts.repositoryId)
  const wrapping = header.kind === 'data-pack' ? parts.keys.data : parts.keys.metadata
  const key = unwrapObjectKey(bytes.subarray(0, headerBytes), wrapping)
  return { bytes, sealer: new PartSealer(parts.codecs.cipher(header.cipherId), key, bytes) }
}

/** Reads single blobs (mostly trees) through packs held in memory, the latest used few of them. */
export class BlobReader {
  readonly #parts: BlobReaderParts
  readonly #fetch: FetchPack
  readonly #packs = new Map<number, OpenPack>()
  readonly #budgetBytes: number
  #heldBytes = 0
  readonly #decoder: BlobDecoder
  readonly #check = new Uint32Array(8)
  readonly #checkBytes = new Uint8Array(this.#check.buffer)

  constructor(parts: BlobReaderParts, fetch: FetchPack, budgetBytes: number) {
    this.#parts = parts
    this.#decoder = new BlobDecoder(parts.codecs)
    this.#fetch = fetch
    this.#budgetBytes = budgetBytes
  }

  /**
   * @param id the eight words of the id
   * @param type 0 data, 1 tree, 2 list
   * @returns fresh memory with the verified blob
   * @throws BkpError `damaged` naming the pack
   */
  async read(id: Uint32Array, type: number): Promise<Uint8Array> {
    const { table } = this.#parts
    const entry = table.find(id)
    const pack = entry === notFound ? notFound : table.packOf(entry)
    if (pack < 0) throw new BkpError('damaged', `Blob ${hex(id)} is in no pack of the index`)
    const wanted = Uint32Array.from(id)
    const open = this.#packs.get(pack) ?? (await this.#load(pack))
    this.#packs.delete(pack)
    this.#packs.set(pack, open)
    const blob = this.openEntry(open, entry).slice()
    this.#parts.hasher.digest(type, blob, this.#checkBytes, 0)
    for (let i = 0; i < 8; i++) {
      if (this.#check[i] !== wanted[i])
        throw new BkpError('damaged', `Blob ${hex(wanted)} holds other bytes than its id says`)
    }
    return blob
  }

  /**
   * Decrypts and decompresses the blob of a table entry, without looking at its id.
   * @returns memory that the next call uses again
   */
  openEntry(open: OpenPack, entry: number): Uint8Array {
    const { table } = this.#parts
    return this.#decoder.decode(
      open.bytes,
      open.sealer,
      table.offsetOf(entry),
      table.sealedLengthOf(entry),
      table.plainLengthOf(entry),
      table.compressionOf(entry),
    )
  }

  async #load(pack: number): Promise<OpenPack> {
    const bytes = await this.#fetch(pack)
    const open = openPack(bytes, this.#parts)
    this.#heldBytes += bytes.length
    for (const [number, old] of this.#packs) {
      if (this.#heldBytes <= this.#budgetBytes) break
      this.#packs.delete(number)
      this.#heldBytes -= old.bytes.length
    }
    this.#packs.set(pack, open)
    return open
  }
}

function hex(id: Uint32Array): string {
  return Buffer.from(id.buffer, id.byteOffset, 32).toString('hex')
}

import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import type { LocalCache } from '../../repository/local-cache.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import type { BackupOptions } from '../api.js'
import type { OperationContext } from '../context.js'

const magic = Buffer.from('bkpscan1')
const macBytes = 32
const headAt = magic.length + 4

/** What must be as it was for the records to hold. */
interface Head {
  /** The snapshot that the run made. */
  readonly snapshot: string
  readonly options: string
  /** Index segments that the run knew; what the snapshot refers to is in them. */
  readonly segments: readonly string[]
  /** Packs that were condemned or lost, and not used, when the run began. */
  readonly unused: readonly string[]
}

/** What is known of the repository when the records are to be used. */
export interface ScanCacheUse {
  readonly parentId: string | undefined
  readonly index: RepositoryIndex
}

/**
 * What the last run of the same paths remembered of directories, in a file of this machine. Never trusted beyond what the
 * parent snapshot says: it only saves to look at each entry, and only as long as everything the snapshot refers to is in
 * the index as it was. Holds hashes, ids of trees and numbers; no names.
 */
export class ScanCache {
  /** Key of the hashes of listings. */
  readonly listingKey: Uint8Array
  readonly #macKey: Uint8Array
  readonly #cache: LocalCache | undefined
  readonly #name: string
  readonly #options: string
  readonly #read: Promise<Uint8Array | undefined>

  /** Begins to read what there is. */
  constructor(context: OperationContext, options: BackupOptions) {
    const { id, keys } = context.repository
    const derived = new Uint8Array(hkdfSync('sha256', keys.metadata, Buffer.from(id, 'hex'), 'bkp/v2/scan-cache', 64))
    this.listingKey = derived.subarray(0, 32)
    this.#macKey = derived.subarray(32)
    this.#cache = context.cache
    this.#name = `scan-${this.#digest([options.hostname, options.source.id, ...options.paths.map(hex)])}`
    const { source, excludes, excludeCaches, oneFileSystem, excludeLargerThanBytes, program } = options
    this.#options = this.#digest([
      source,
      excludes,
      excludeCaches,
      oneFileSystem,
      excludeLargerThanBytes ?? null,
      program,
    ])
    this.#read = options.force ? Promise.resolve(undefined) : this.#readFile()
  }

  /** The records, when they hold for this run. Views on shared memory. */
  async records({ parentId, index }: ScanCacheUse): Promise<Uint8Array | undefined> {
    const bytes = await this.#read
    if (bytes === undefined || parentId === undefined) return undefined
    const opened = this.#open(bytes)
    if (opened === undefined || opened.head.snapshot !== parentId || opened.head.options !== this.#options)
      return undefined
    const { segments, unused } = opened.head
    const isWhole = segments.every((name) => index.segments.has(name))
    const wasUnused = new Set(unused)
    const isSafe = unusedPacks(index).every((name) => wasUnused.has(name))
    return isWhole && isSafe ? opened.records : undefined
  }

  /**
   * @param segments names of the index segments that the run wrote
   * @param scans what the threads remembered
   */
  async write(
    snapshot: string,
    index: RepositoryIndex,
    segments: readonly string[],
    scans: readonly Uint8Array[],
  ): Promise<void> {
    if (this.#cache === undefined || scans.every(({ length }) => length === 0)) return
    const head: Head = {
      snapshot,
      options: this.#options,
      segments: [...index.segments, ...segments],
      unused: unusedPacks(index),
    }
    const text = JSON.stringify(head)
    // Padded, so that the records begin at a multiple of 4.
    const json = Buffer.from(text.padEnd(Math.ceil(text.length / 4) * 4))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(json.length)
    const parts = [magic, length, json, ...scans]
    const mac = createHmac('sha256', this.#macKey)
    for (const part of parts) mac.update(part)
    await this.#cache.write(this.#name, [...parts, mac.digest()])
  }

  /** @returns undefined for anything but a whole file of this repository */
  #open(bytes: Uint8Array): { readonly head: Head; readonly records: Uint8Array } | undefined {
    const end = bytes.length - macBytes
    if (end < headAt) return undefined
    const mac = createHmac('sha256', this.#macKey).update(bytes.subarray(0, end)).digest()
    if (!timingSafeEqual(mac, bytes.subarray(end))) return undefined
    const records = headAt + new DataView(bytes.buffer, bytes.byteOffset).getUint32(magic.length, true)
    const head = JSON.parse(Buffer.from(bytes.slice(headAt, records)).toString()) as Head
    return { head, records: bytes.subarray(records, end) }
  }

  // With a key, so that the file does not tell what is backed up and how.
  #digest(value: unknown): string {
    return createHmac('sha256', this.#macKey).update(JSON.stringify(value)).digest('hex')
  }

  async #readFile(): Promise<Uint8Array | undefined> {
    return this.#cache?.read(this.#name)
  }
}

function unusedPacks({ condemned, lost }: RepositoryIndex): readonly string[] {
  return [...condemned, ...lost]
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

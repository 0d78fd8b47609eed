import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseDescriptor } from '../../packages/core/src/format/descriptor.js'
import { indexKey, objectNameOf, packKey, snapshotKey } from '../../packages/core/src/format/ids.js'
import { encodeIndexSegment, type IndexPack } from '../../packages/core/src/format/index-segment.js'
import { openSlot, parseSlot, secretOfPassphrase } from '../../packages/core/src/format/key-slot.js'
import { PackBuilder } from '../../packages/core/src/format/pack.js'
import { type ObjectKind, sealObject } from '../../packages/core/src/format/sealed-object.js'
import { encodeSnapshot, type Snapshot } from '../../packages/core/src/format/snapshot.js'
import { deriveKeys, type RepositoryKeys } from '../../packages/core/src/format/subkeys.js'
import { aesGcm } from '../../packages/core/src/format/testing/ciphers.js'
import { createKeyedHasher, type KeyedHasher } from '../../packages/core/src/hash/keyed-hasher.js'
import { type ForgedEntry, forgeTree } from './forged-entry.js'
import { bkpJson, passphrase } from './run-bkp.js'

/** What a blob says of itself that is not so. */
export interface BlobLie {
  readonly id?: Uint8Array
  readonly compression?: (typeof compressionIds)[number]
  /** What is sealed, instead of the blob. */
  readonly payload?: Uint8Array
  readonly plainLength?: number
}

export interface RowLie {
  readonly id?: Uint8Array
  readonly offset?: number
  readonly sealedLength?: number
  readonly plainLength?: number
}

const compressionIds = ['none', 'zstd', 'deflate'] as const
const types = { data: 0, tree: 1, list: 2 } as const

/** The keys of a repository, in the hands of somebody who writes what he likes. */
export class Forger {
  readonly #template: string
  readonly #id: string
  readonly #keys: RepositoryKeys
  readonly #hasher: KeyedHasher

  private constructor(template: string, id: string, keys: RepositoryKeys, hasher: KeyedHasher) {
    this.#template = template
    this.#id = id
    this.#keys = keys
    this.#hasher = hasher
  }

  /** Makes a repository by the command line, and takes its keys. */
  static async create(template: string): Promise<Forger> {
    await bkpJson(['init', '--to', template])
    const { repository } = parseDescriptor(readFileSync(join(template, 'bkp.json')))
    for (const name of readdirSync(join(template, 'keys'))) {
      const slot = parseSlot(readFileSync(join(template, 'keys', name)))
      if (slot?.kind !== 'passphrase') continue
      const master = await openSlot(slot, secretOfPassphrase(passphrase))
      if (master === undefined) break
      const keys = deriveKeys(master, repository)
      return new Forger(template, repository, keys, await createKeyedHasher(keys.blobId))
    }
    throw new Error(`No key slot of ${template} opens`)
  }

  /** An empty repository with the same keys. */
  repository(directory: string): ForgedRepository {
    cpSync(this.#template, directory, { recursive: true })
    return new ForgedRepository(directory, this)
  }

  idOf(type: keyof typeof types, bytes: Uint8Array): Uint8Array {
    const id = new Uint8Array(32)
    this.#hasher.digest(types[type], bytes, id)
    return id
  }

  pack(kind: 'data' | 'metadata'): PackBuilder {
    const wrappingKey = kind === 'data' ? this.#keys.data : this.#keys.metadata
    const kinds = { data: 'data-pack', metadata: 'metadata-pack' } as const
    return new PackBuilder({ kind: kinds[kind], repositoryId: this.#id, wrappingKey, cipher: aesGcm, compressionIds })
  }

  seal(kind: Exclude<ObjectKind, 'data-pack' | 'metadata-pack'>, payload: Uint8Array): Uint8Array {
    return sealObject(kind, this.#id, this.#keys.metadata, aesGcm, payload)
  }
}

/** Packs, index and snapshots that are sealed well, whatever they say. */
export class ForgedRepository {
  readonly directory: string
  readonly #forger: Forger
  readonly #open: Record<'data' | 'metadata', PackBuilder>
  readonly #stored = new Set<string>()
  /** What the index is going to say; tests change it. */
  readonly packs: IndexPack[] = []

  constructor(directory: string, forger: Forger) {
    this.directory = directory
    this.#forger = forger
    this.#open = { data: forger.pack('data'), metadata: forger.pack('metadata') }
  }

  data(bytes: Uint8Array | string, lie?: BlobLie): Uint8Array {
    return this.#add('data', Buffer.from(bytes), lie)
  }

  list(ids: readonly Uint8Array[]): Uint8Array {
    return this.#add('list', Buffer.concat(ids))
  }

  tree(entries: readonly ForgedEntry[], lie?: BlobLie): Uint8Array {
    return this.#add('tree', forgeTree(entries), lie)
  }

  /** A file that is as it says. */
  file(name: string, text: string): ForgedEntry {
    return {
      name,
      sizeBytes: BigInt(Buffer.byteLength(text)),
      content: { depth: 0, ids: [this.data(text)] },
    }
  }

  directoryOf(name: string, entries: readonly ForgedEntry[]): ForgedEntry {
    return { kind: 'directory', name, tree: [this.tree(entries)] }
  }

  /** Ends the pack that is being filled; the next blob begins another. @returns its place in {@link packs} */
  cut(kind: 'data' | 'metadata'): number {
    const builder = this.#open[kind]
    const { bytes, rows } = builder.finish()
    const name = this.#put(packKey, bytes)
    builder.reset()
    return this.packs.push({ name, sizeBytes: bytes.length, kind, compressionIds, rows }) - 1
  }

  /** Changes what the index says of a blob. */
  lieAbout(id: Uint8Array, lie: RowLie): void {
    for (const kind of ['data', 'metadata'] as const) if (this.#open[kind].count > 0) this.cut(kind)
    for (const { rows } of this.packs) {
      for (let at = 0; at < rows.length; at += 48) {
        if (Buffer.compare(rows.subarray(at, at + 32), id) !== 0) continue
        const view = new DataView(rows.buffer, rows.byteOffset + at, 48)
        if (lie.offset !== undefined) view.setUint32(32, lie.offset, true)
        if (lie.sealedLength !== undefined) view.setUint32(36, lie.sealedLength, true)
        if (lie.plainLength !== undefined) view.setUint32(40, lie.plainLength, true)
        if (lie.id !== undefined) rows.set(lie.id, at)
        return
      }
    }
    throw new Error('The index has no such blob')
  }

  /** Writes the index and a snapshot. @returns the keys of both */
  commit(
    root: readonly ForgedEntry[] | readonly Uint8Array[],
    change: Partial<Snapshot> = {},
  ): { readonly index: string; readonly snapshot: string } {
    const isTree = (part: ForgedEntry | Uint8Array): part is Uint8Array => part instanceof Uint8Array
    const ids = root.length > 0 && root.every(isTree) ? root : [this.tree(root as readonly ForgedEntry[])]
    for (const kind of ['data', 'metadata'] as const) if (this.#open[kind].count > 0) this.cut(kind)
    const index = this.putSealed('index', encodeIndexSegment(this.packs))
    const tree = ids.map((id) => Buffer.from(id).toString('hex'))
    return { index, snapshot: this.putSealed('snapshot', encodeSnapshot({ ...harmless, tree, ...change })) }
  }

  /** Seals a payload, whatever it is, and stores it. @returns its key */
  putSealed(kind: 'index' | 'snapshot', payload: Uint8Array): string {
    const key = kind === 'index' ? indexKey : snapshotKey
    return key(this.#put(key, this.#forger.seal(kind, payload)))
  }

  #add(type: keyof typeof types, bytes: Uint8Array, lie: BlobLie = {}): Uint8Array {
    const kind = type === 'data' ? 'data' : 'metadata'
    const payload = lie.payload ?? bytes
    const id = lie.id ?? this.#forger.idOf(type, bytes)
    // As any writer does: each blob is stored once.
    const key = Buffer.from(id).toString('hex')
    if (this.#stored.has(key)) return id
    this.#stored.add(key)
    if (!this.#open[kind].fits(payload.length)) this.cut(kind)
    const compression = compressionIds.indexOf(lie.compression ?? 'none')
    this.#open[kind].add(id, types[type], compression, lie.plainLength ?? bytes.length, payload)
    return id
  }

  #put(keyOf: (name: string) => string, bytes: Uint8Array): string {
    const name = objectNameOf(bytes)
    const path = join(this.directory, keyOf(name))
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, bytes)
    return name
  }
}

const harmless: Snapshot = {
  version: 1,
  time: '2026-01-02T03:04:05.000000000Z',
  finished: '2026-01-02T03:04:06.000Z',
  hostname: 'somewhere',
  username: 'somebody',
  program: 'forger',
  source: 'fs',
  paths: [{ text: '/', base64: 'Lw==' }],
  tags: [],
  excludes: [],
  tree: [],
  parent: null,
  stats: { files: 1, directories: 1, others: 0, bytes: 1, errors: 0 },
  issues: [],
}

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { damaged, json, Unsupported } from './bytes.mjs'
import { blake3Under, expand, sha256 } from './crypto.mjs'
import { checkDescriptor, openMasterKey, parseDescriptor, subkey } from './keys.mjs'
import { packDirectory, parseIndex } from './packs.mjs'
import { KIND, SealedObject } from './sealed.mjs'

const KiB = 1024
const MiB = 1024 * KiB
const NAME = /^[0-9a-f]{64}$/
export const TYPE = { data: 0, tree: 1, list: 2 }

/** An open repository in a folder. Every object is verified when it is read: its name, its seals, its blobs' ids. */
export class Repository {
  static async open(folder, secret) {
    const repository = new Repository(folder)
    await repository.#open(secret)
    return repository
  }

  constructor(folder) {
    this.folder = folder
    /** Blob id to the places that have it: `{ pack, size, row }`. */
    this.places = new Map()
    this.lastPack = undefined
  }

  async #open(secret) {
    const descriptor = parseDescriptor(this.#bytes('bkp.json', 64 * KiB))
    const slots = this.#names('keys').map((name) => this.#object(`keys/${name}`, name, 64 * KiB))
    const masterKey = await openMasterKey(slots, descriptor, secret)
    checkDescriptor(descriptor, masterKey)
    this.id = descriptor.id
    this.keys = { data: subkey(masterKey, this.id, 'data'), metadata: subkey(masterKey, this.id, 'metadata') }
    this.blobId = await blake3Under(subkey(masterKey, this.id, 'blob-id'))
    for (const name of this.#names('index')) this.#addIndex(name)
  }

  #names(folder) {
    return readdirSync(join(this.folder, folder)).filter((name) => NAME.test(name))
  }

  #bytes(key, limit) {
    const path = join(this.folder, key)
    if (statSync(path).size > limit) damaged(key, `is larger than ${limit} bytes`)
    return readFileSync(path)
  }

  #object(key, name, limit) {
    const bytes = this.#bytes(key, limit)
    if (sha256(bytes).toString('hex') !== name) damaged(key, 'its SHA-256 is not its name')
    return { key, bytes }
  }

  #sealed(key, name, kinds) {
    return new SealedObject(this.#object(key, name, 64 * MiB).bytes, kinds, this.id, this.keys, key)
  }

  #addIndex(name) {
    const key = `index/${name}`
    for (const { name: pack, size, kind, rows } of parseIndex(this.#sealed(key, name, [KIND.index]).onlyPart(), key)) {
      for (const row of rows) {
        const places = this.places.get(row.id) ?? []
        places.push({ pack, size, kind, row })
        this.places.set(row.id, places)
      }
    }
  }

  /** Section 8, the oldest first. */
  snapshots() {
    const result = this.#names('snapshots').map((id) => {
      const key = `snapshots/${id}`
      const snapshot = json(this.#sealed(key, id, [KIND.snapshot]).onlyPart(), key)
      if (snapshot.version !== 1) throw new Unsupported(`version ${snapshot.version} of a snapshot`)
      return { id, ...snapshot }
    })
    return result.sort((a, b) => (instant(a.time) < instant(b.time) ? -1 : 1))
  }

  packNames() {
    return readdirSync(join(this.folder, 'packs'))
      .filter((name) => /^[0-9a-f]{2}$/.test(name))
      .flatMap((aa) => this.#names(`packs/${aa}`).filter((name) => name.startsWith(aa)))
  }

  #pack(name, kinds) {
    if (this.lastPack?.name !== name) this.lastPack = { name, pack: this.#sealed(packKey(name), name, kinds) }
    return this.lastPack.pack
  }

  async #openBlob(pack, row) {
    const where = `blob ${row.id}`
    const stored = pack.part(row.offset, row.offset + row.sealedLength)
    const bytes = await expand(row.compression, stored, row.length, where)
    if (this.blobId(Buffer.of(row.type), bytes) !== row.id) damaged(where, 'its bytes are not what its id says')
    return bytes
  }

  /** The bytes of a blob of that type, verified. */
  async blob(id, type) {
    const places = this.places.get(id)?.filter(({ row }) => row.type === type) ?? []
    // Several packs may have a blob, and the index may name packs that are gone.
    const place = places.find(({ pack }) => existsSync(join(this.folder, packKey(pack))))
    if (place === undefined) return damaged(`blob ${id}`, `no pack that is there has it as type ${type}`)
    const pack = this.#pack(place.pack, [place.kind])
    if (pack.bytes.length !== place.size) damaged(pack.where, `has ${pack.bytes.length} bytes, not ${place.size}`)
    return this.#openBlob(pack, place.row)
  }

  /** Reads every pack by its own directory, without the help of the index. Returns the number of blobs. */
  async check() {
    let blobs = 0
    for (const name of this.packNames()) {
      const pack = this.#pack(name, [KIND.dataPack, KIND.metadataPack])
      for (const row of packDirectory(pack)) {
        await this.#openBlob(pack, row)
        const same = this.places.get(row.id)?.find((place) => place.pack === name)
        if (JSON.stringify(same?.row) !== JSON.stringify(row)) damaged(pack.where, `the index differs on ${row.id}`)
        blobs++
      }
    }
    return blobs
  }
}

const packKey = (name) => `packs/${name.slice(0, 2)}/${name}`

/** A time with up to nine decimals, as something to compare. */
function instant(time) {
  const [seconds, decimals = ''] = time.replace('Z', '').split('.')
  return `${seconds}.${decimals.padEnd(9, '0')}`
}

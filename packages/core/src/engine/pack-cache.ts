import { copyInto, isPortError, PortError, type Storage } from '@bkp/plugin-api'
import { damaged, isBkpError } from '../errors/index.js'
import { packKey } from '../format/ids.js'
import { mayBeUsedAgain } from '../memory-in-doubt.js'
import type { PackRegistry } from '../repository/pack-registry.js'

/** Reads a range into memory that is there, whether or not the storage can do that by itself. */
export async function readInto(storage: Storage, key: string, offset: number, into: Uint8Array): Promise<void> {
  const bytes = await storage.get(key, { offset, length: into.length, into })
  if (bytes.buffer !== into.buffer) copyInto(into, bytes)
}

const mostFillings = 5

/**
 * Memory with what is read into it. Where an attempt was given up that may still write there, other memory is filled.
 * @param allocate gives memory that nobody else uses
 * @throws PortError `transient` when that happened over and over
 */
export async function filled(
  allocate: () => Uint8Array,
  read: (into: Uint8Array) => Promise<void>,
): Promise<Uint8Array> {
  for (let filling = 0; filling < mostFillings; filling++) {
    const into = allocate()
    await read(into)
    if (mayBeUsedAgain(into.buffer)) return into
  }
  throw new PortError('transient', 'Reading a pack ran out of time again and again')
}

/**
 * Reads a whole pack so that its SHA-256 is compared with its name, for where another replica can be asked when it differs.
 * Without that the parts of a pack are authenticated when they are opened, which costs nothing more.
 */
export async function readVerifiedInto(storage: Storage, key: string, _offset: 0, into: Uint8Array): Promise<void> {
  // Not straight into that memory: a pack that was cut short has to be told from one that came short.
  const bytes = await storage.get(key)
  if (bytes.length !== into.length)
    throw new PortError('corrupt', `${key} has ${bytes.length} bytes instead of ${into.length}`)
  copyInto(into, bytes)
}

/** Whether a storage says that what it should have is not there, or not whole: damage of the repository, not of the run. */
export function isLost(error: unknown): error is Error {
  return (
    isPortError(error, 'not-found') ||
    isPortError(error, 'range-invalid') ||
    isPortError(error, 'corrupt') ||
    isBkpError(error, 'damaged')
  )
}

/** Reads a whole pack into memory of its size. */
type ReadPack = (storage: Storage, key: string, offset: 0, into: Uint8Array) => Promise<void>

/** Metadata packs in shared memory, so that all threads read one copy; the latest used ones up to a budget. */
export class PackCache {
  readonly #storage: Storage
  readonly #packs: PackRegistry
  readonly #held = new Map<number, Promise<Uint8Array>>()
  readonly #budgetBytes: number
  readonly #read: ReadPack
  #heldBytes = 0

  /** @param read how a pack gets into memory */
  constructor(storage: Storage, packs: PackRegistry, budgetBytes: number, read: ReadPack = readInto) {
    this.#storage = storage
    this.#packs = packs
    this.#budgetBytes = budgetBytes
    this.#read = read
  }

  get(pack: number): Promise<Uint8Array> {
    const held = this.#held.get(pack)
    if (held !== undefined) {
      this.#held.delete(pack)
      this.#held.set(pack, held)
      return held
    }
    const loading = this.#load(pack)
    this.#held.set(pack, loading)
    this.#heldBytes += this.#packs.sizeOf(pack)
    for (const number of this.#held.keys()) {
      if (this.#heldBytes <= this.#budgetBytes || number === pack) break
      this.#held.delete(number)
      this.#heldBytes -= this.#packs.sizeOf(number)
    }
    return loading
  }

  async #load(pack: number): Promise<Uint8Array> {
    const key = packKey(this.#packs.nameOf(pack))
    const shared = () => new Uint8Array(new SharedArrayBuffer(this.#packs.sizeOf(pack)))
    try {
      return await filled(shared, (into) => this.#read(this.#storage, key, 0, into))
    } catch (error) {
      if (!isLost(error)) throw error
      throw damaged(`${key} is needed and cannot be read: ${error.message}`, error)
    }
  }
}

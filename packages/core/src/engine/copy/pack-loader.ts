import { damaged } from '../../errors/index.js'
import { packKey } from '../../format/ids.js'
import { packCapacityBytes } from '../../format/pack.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import { SpareMemory } from '../../spare-memory.js'
import type { OperationContext } from '../context.js'
import { filled, isLost, readVerifiedInto } from '../pack-cache.js'
import { readSpans, spansOf } from '../pack-spans.js'
import type { PackWork } from './pack-work.js'

/** Reads packs of the source into shared memory that is used again: it would pile up between two garbage collections. */
export class PackLoader {
  readonly #context: OperationContext
  readonly #index: RepositoryIndex
  readonly #spare = new SpareMemory((bytes) => new SharedArrayBuffer(Math.max(bytes, packCapacityBytes)))

  constructor(context: OperationContext, index: RepositoryIndex) {
    this.#context = context
    this.#index = index
  }

  /**
   * The wanted parts of a pack at their places.
   * @throws BkpError `damaged` when it cannot be had
   */
  async load(work: PackWork): Promise<Uint8Array> {
    const spans = spansOf(work.entries, this.#index.table)
    return this.#read(work.pack, (key, into) => readSpans(this.#context.storage, key, spans, into))
  }

  /**
   * The whole pack, and of several destinations of the source from one where it is sound.
   * @throws BkpError `damaged`
   */
  loadVerified(pack: number): Promise<Uint8Array> {
    return this.#read(pack, (key, into) => readVerifiedInto(this.#context.storage, key, 0, into))
  }

  /** Takes memory back. */
  release({ buffer }: Uint8Array): void {
    this.#spare.giveBack(buffer as SharedArrayBuffer)
  }

  async #read(pack: number, read: (key: string, into: Uint8Array) => Promise<void>): Promise<Uint8Array> {
    const { packs } = this.#index
    const key = packKey(packs.nameOf(pack))
    let memory: Uint8Array | undefined
    const allocate = () => (memory = this.#spare.take(packs.sizeOf(pack)))
    try {
      return await filled(allocate, (into) => read(key, into))
    } catch (error) {
      if (memory !== undefined) this.release(memory)
      if (!isLost(error)) throw error
      throw damaged(`it cannot be read: ${error.message}`, error)
    }
  }
}

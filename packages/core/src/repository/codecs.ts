import type { Cipher, Compressor, EncryptionModule } from '@bkp/plugin-api'
import { BkpError, type BkpErrorCode } from '../errors/index.js'
import type { SnapshotPlugin } from '../format/snapshot-plugins.js'
import { loadCipher, loadCompressor, missing } from './load-codec.js'
import { type During, unwatched } from './plugin-calls.js'

/** A plugin that did not come with bkp; can be sent to a worker thread. */
export interface ForeignPlugin {
  readonly packageName: string
  readonly version: string
  /** URL of the folder of its package, with a slash at the end. */
  readonly folderUrl: string
}

/** Where to import a codec from; can be sent to a worker thread. */
export interface CodecDescriptor {
  readonly id: string
  /** URL of the module; undefined when no installed plugin has this id. */
  readonly url: string | undefined
  readonly configuration: Readonly<Record<string, unknown>>
  /** Whose it is, where it did not come with bkp. */
  readonly plugin?: ForeignPlugin
  /** Which package has it, where no installed one does and the repository knows. */
  readonly writtenBy?: SnapshotPlugin
  /** Why the plugin that has it cannot be used. */
  readonly fault?: { readonly code: BkpErrorCode; readonly message: string; readonly hint: string | undefined }
}

export interface CodecDescriptors {
  /** Position is the number that the chunk table keeps; position 0 is `none`. */
  readonly compressions: readonly CodecDescriptor[]
  readonly ciphers: readonly CodecDescriptor[]
  /** Ciphers that did not come with bkp: loaded when they are asked for. */
  readonly foreignCiphers?: readonly CodecDescriptor[]
}

export interface LoadedCipher {
  readonly module: EncryptionModule
  readonly cipher: Cipher
}

/** Position of `none` in every list of compressions. */
export const noCompressionNumber = 0

/** Blobs that are stored as they are. */
export const noCompression: Compressor = {
  compress(input, output) {
    if (input.length > output.length) return -1
    output.set(input)
    return input.length
  },
  decompress(input, output) {
    if (input.length !== output.length) {
      throw new BkpError('damaged', `A blob stored as it is has ${input.length} bytes instead of ${output.length}`)
    }
    output.set(input)
  },
}

/** The codecs of one thread. What cannot be loaded fails when it is needed, under its own name. */
export class Codecs {
  readonly #compressors: readonly (Compressor | BkpError)[]
  readonly #ciphers: Map<string, LoadedCipher | BkpError>
  readonly #foreign: ReadonlyMap<string, CodecDescriptor>
  readonly #during: During

  private constructor(
    compressors: readonly (Compressor | BkpError)[],
    ciphers: Map<string, LoadedCipher | BkpError>,
    foreign: readonly CodecDescriptor[],
    during: During,
  ) {
    this.#during = during
    this.#compressors = compressors
    this.#ciphers = ciphers
    this.#foreign = new Map(foreign.map((descriptor) => [descriptor.id, descriptor]))
  }

  /** @param during runs what is not of bkp */
  static async load(descriptors: CodecDescriptors, during: During = unwatched): Promise<Codecs> {
    const compressors = await Promise.all(
      descriptors.compressions.map((descriptor) =>
        descriptor.id === 'none' ? noCompression : loadCompressor(descriptor, during),
      ),
    )
    const ciphers = await Promise.all(
      descriptors.ciphers.map(async (descriptor) => [descriptor.id, await loadCipher(descriptor, during)] as const),
    )
    return new Codecs(compressors, new Map(ciphers), descriptors.foreignCiphers ?? [], during)
  }

  /** Whether it is loaded, or known to be missing. */
  hasCipher(id: string): boolean {
    return this.#ciphers.has(id)
  }

  /** Ciphers that did not come with bkp and have been asked for. */
  get foreignInUse(): readonly string[] {
    return [...this.#foreign.keys()].filter((id) => this.#ciphers.has(id))
  }

  /**
   * Loads a cipher that did not come with bkp, if it is one. What fails fails when it is used.
   * @returns whether there is one of that id
   */
  async loadForeign(id: string): Promise<boolean> {
    if (this.#ciphers.has(id)) return true
    const descriptor = this.#foreign.get(id)
    if (descriptor !== undefined) this.#ciphers.set(id, await loadCipher(descriptor, this.#during))
    return descriptor !== undefined
  }

  /** @param writtenBy the package that has it, where the repository knows */
  noteMissing(id: string, writtenBy: SnapshotPlugin | undefined): void {
    this.#ciphers.set(id, missing('encryption', { id, ...(writtenBy === undefined ? {} : { writtenBy }) }))
  }

  /** @throws BkpError `missing-plugin`, `plugin-failed` */
  compressor(number: number): Compressor {
    const found = this.#compressors[number]
    if (found === undefined)
      throw new BkpError('damaged', `Compression number ${number} is not in the list of compressions`)
    if (found instanceof BkpError) throw found
    return found
  }

  /** @throws BkpError `missing-plugin`, `plugin-failed` */
  cipher(id: string): LoadedCipher {
    const found = this.#ciphers.get(id)
    if (found === undefined) throw missing('encryption', { id })
    if (found instanceof BkpError) throw found
    return found
  }
}

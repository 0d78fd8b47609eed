import type { Cipher, CompressionModule, Compressor, EncryptionModule } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'

/** Where to import a codec from; can be sent to a worker thread. */
export interface CodecDescriptor {
  readonly id: string
  /** URL of the module; undefined when no installed plugin has this id. */
  readonly url: string | undefined
  readonly configuration: Readonly<Record<string, unknown>>
}

export interface CodecDescriptors {
  /** Position is the number that the chunk table keeps; position 0 is `none`. */
  readonly compressions: readonly CodecDescriptor[]
  readonly ciphers: readonly CodecDescriptor[]
}

export interface LoadedCipher {
  readonly module: EncryptionModule
  readonly cipher: Cipher
}

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
  readonly #ciphers: ReadonlyMap<string, LoadedCipher | BkpError>

  private constructor(
    compressors: readonly (Compressor | BkpError)[],
    ciphers: ReadonlyMap<string, LoadedCipher | BkpError>,
  ) {
    this.#compressors = compressors
    this.#ciphers = ciphers
  }

  static async load(descriptors: CodecDescriptors): Promise<Codecs> {
    const compressors = await Promise.all(
      descriptors.compressions.map((descriptor) =>
        descriptor.id === 'none' ? noCompression : loadCompressor(descriptor),
      ),
    )
    const ciphers = await Promise.all(
      descriptors.ciphers.map(async (descriptor) => [descriptor.id, await loadCipher(descriptor)] as const),
    )
    return new Codecs(compressors, new Map(ciphers))
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
    if (found === undefined) throw missing('encryption', id)
    if (found instanceof BkpError) throw found
    return found
  }
}

async function loadCompressor(descriptor: CodecDescriptor): Promise<Compressor | BkpError> {
  if (descriptor.url === undefined) return missing('compression', descriptor.id)
  try {
    const loaded = (await import(descriptor.url)) as { default: CompressionModule }
    return await loaded.default.create(descriptor.configuration)
  } catch (cause) {
    return failed('compression', descriptor.id, cause)
  }
}

async function loadCipher(descriptor: CodecDescriptor): Promise<LoadedCipher | BkpError> {
  if (descriptor.url === undefined) return missing('encryption', descriptor.id)
  try {
    const loaded = (await import(descriptor.url)) as { default: EncryptionModule }
    return { module: loaded.default, cipher: await loaded.default.create(descriptor.configuration) }
  } catch (cause) {
    return failed('encryption', descriptor.id, cause)
  }
}

function missing(kind: string, id: string): BkpError {
  return new BkpError('missing-plugin', `This repository needs the ${kind} "${id}", and no installed plugin has it`, {
    hint: `Install the plugin that provides the ${kind} "${id}", then try again`,
  })
}

function failed(kind: string, id: string, cause: unknown): BkpError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const hint = (cause as { hint?: unknown } | null)?.hint
  return new BkpError('plugin-failed', `The ${kind} "${id}" cannot be used here: ${reason}`, {
    cause,
    ...(typeof hint === 'string' ? { hint } : {}),
  })
}

import { type CompressionModule, type Compressor, type EncryptionModule, isPortError } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../errors/index.js'
import { cipherHint, installHint } from '../errors/missing-plugin.js'
import type { CodecDescriptor, ForeignPlugin, LoadedCipher } from './codecs.js'
import type { During } from './plugin-calls.js'

export async function loadCompressor(descriptor: CodecDescriptor, during: During): Promise<Compressor | BkpError> {
  const { url, plugin, configuration } = descriptor
  if (url === undefined) return missing('compression', descriptor)
  const load = async () => {
    const loaded = (await import(url)) as { default: CompressionModule }
    return loaded.default.create(configuration)
  }
  try {
    if (plugin === undefined) return await load()
    const compressor = await during(plugin, 'load', load)
    return {
      compress: (input, output) =>
        during(plugin, 'compress', () => naming(plugin, () => compressor.compress(input, output))),
      decompress: (input, output) =>
        during(plugin, 'decompress', () => naming(plugin, () => compressor.decompress(input, output))),
    }
  } catch (cause) {
    return failed('compression', descriptor, cause)
  }
}

export async function loadCipher(descriptor: CodecDescriptor, during: During): Promise<LoadedCipher | BkpError> {
  const { plugin, configuration } = descriptor
  let url: string | undefined
  try {
    url = descriptor.url
  } catch (error) {
    // It was looked at only now, and is not what the user approved.
    if (isBkpError(error)) return error
    throw error
  }
  if (url === undefined) return missing('encryption', descriptor)
  const load = async () => {
    const { default: module } = (await import(url as string)) as { default: EncryptionModule }
    return { module, cipher: await module.create(configuration) }
  }
  try {
    if (plugin === undefined) return await load()
    const { module, cipher } = await during(plugin, 'load', load)
    return {
      module,
      cipher: {
        seal: (...given) => during(plugin, 'seal', () => naming(plugin, () => cipher.seal(...given))),
        open: (...given) => during(plugin, 'open', () => naming(plugin, () => cipher.open(...given))),
      },
    }
  } catch (cause) {
    return failed('encryption', descriptor, cause)
  }
}

/** What a plugin throws against its contract would be taken for a fault of bkp. */
function naming<T>({ packageName }: ForeignPlugin, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (isPortError(cause) || isBkpError(cause)) throw cause
    throw new BkpError('plugin-failed', `The plugin ${packageName} failed: ${(cause as Error)?.message ?? cause}`, {
      hint: `Report this to the author of ${packageName}`,
      cause,
    })
  }
}

export function missing(
  kind: 'compression' | 'encryption',
  { id, fault, writtenBy }: Pick<CodecDescriptor, 'id' | 'fault' | 'writtenBy'>,
): BkpError {
  if (fault !== undefined)
    return new BkpError(fault.code, fault.message, fault.hint === undefined ? {} : { hint: fault.hint })
  return new BkpError('missing-plugin', `This repository needs the ${kind} "${id}", and no installed plugin has it`, {
    hint: kind === 'encryption' && writtenBy === undefined ? cipherHint(id) : installHint(kind, id, writtenBy),
  })
}

function failed(kind: string, { id, plugin }: CodecDescriptor, cause: unknown): BkpError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const hint = (cause as { hint?: unknown } | null)?.hint
  return new BkpError(
    'plugin-failed',
    `The ${kind} "${id}"${plugin === undefined ? '' : ` of the plugin ${plugin.packageName}`} cannot be used here: ${reason}`,
    {
      cause,
      ...(typeof hint === 'string' ? { hint } : {}),
    },
  )
}

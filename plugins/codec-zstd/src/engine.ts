import { type Compressor, PortError } from '@bkp/plugin-api'
import type * as ZstdNapi from 'zstd-napi/binding.js'

/** The best engine that this machine has. @throws PortError `unsupported` */
export async function createZstd(level: number): Promise<Compressor> {
  const wanted = process.env.BKP_ZSTD_ENGINE
  const native = wanted === 'node' ? undefined : await loadNative()
  if (native !== undefined) return nativeCompressor(native, level)
  const builtIn = wanted === 'napi' ? undefined : await builtInCompressor(level)
  if (builtIn !== undefined) return builtIn
  throw new PortError('unsupported', 'Zstandard is not available: zstd-napi is not built and this Node has no zstd', {
    hint: 'Use Node 22.15 or newer, or install a C++ compiler and run npm rebuild zstd-napi, or choose --compression deflate',
  })
}

type Native = typeof ZstdNapi

async function loadNative(): Promise<Native | undefined> {
  try {
    return ((await import('zstd-napi/binding.js')) as unknown as { default: Native }).default
  } catch {
    // Not built on this machine: the engine in Node is tried next.
    return undefined
  }
}

function nativeCompressor(native: Native, level: number): Compressor {
  const compressing = new native.CCtx()
  compressing.setParameter(native.CParameter.compressionLevel, level)
  const decompressing = new native.DCtx()
  return {
    compress(input, output) {
      try {
        return compressing.compress2(output, input)
      } catch {
        // The only failure with sound parameters is an output that is too small.
        return -1
      }
    },
    decompress(input, output) {
      let length: number
      try {
        length = decompressing.decompress(output, input)
      } catch (cause) {
        throw new PortError('corrupt', 'A zstd frame is damaged', { cause })
      }
      if (length !== output.length) throw wrongSize(length, output.length)
    },
  }
}

interface NodeZstd {
  zstdCompressSync(input: Uint8Array, options: { params: Record<number, number> }): Buffer
  zstdDecompressSync(input: Uint8Array, options: { maxOutputLength: number }): Buffer
  constants: { ZSTD_c_compressionLevel: number }
}

async function builtInCompressor(level: number): Promise<Compressor | undefined> {
  const zlib = (await import('node:zlib')).default as unknown as Partial<NodeZstd>
  const { zstdCompressSync, zstdDecompressSync, constants } = zlib
  if (zstdCompressSync === undefined || zstdDecompressSync === undefined || constants === undefined) return undefined
  const params = { [constants.ZSTD_c_compressionLevel]: level }
  return {
    compress(input, output) {
      const compressed = zstdCompressSync(input, { params })
      if (compressed.length > output.length) return -1
      output.set(compressed)
      return compressed.length
    },
    decompress(input, output) {
      let plain: Buffer
      try {
        plain = zstdDecompressSync(input, { maxOutputLength: Math.max(1, output.length) })
      } catch (cause) {
        throw new PortError('corrupt', 'A zstd frame is damaged', { cause })
      }
      if (plain.length !== output.length) throw wrongSize(plain.length, output.length)
      output.set(plain)
    },
  }
}

function wrongSize(found: number, expected: number): PortError {
  return new PortError('corrupt', `A zstd frame holds ${found} bytes instead of ${expected}`)
}

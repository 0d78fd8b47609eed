import type { ZstdEngine } from './engine.js'

/** What `node:zlib` has from Node 22.15 on; the types of Node 20 do not know it. */
export interface NodeZstd {
  zstdCompressSync(input: Uint8Array, options: NodeZstdOptions): Uint8Array
  zstdDecompressSync(input: Uint8Array, options: NodeZstdOptions): Uint8Array
  readonly constants: { readonly ZSTD_c_compressionLevel: number; readonly ZSTD_d_windowLogMax: number }
}

interface NodeZstdOptions {
  readonly params: Readonly<Record<number, number>>
  readonly chunkSize: number
  readonly maxOutputLength: number
}

// Blobs have at most 16 MiB, and no level makes a window that is larger than its content.
const windowLogMax = 24
const minChunkBytes = 64

/** Undefined on a Node without zstd. */
export function nodeZstdOf(zlib: object): NodeZstd | undefined {
  return 'zstdCompressSync' in zlib && 'zstdDecompressSync' in zlib ? (zlib as NodeZstd) : undefined
}

/** The zstd inside Node: a new context and new memory for every call, so it is slower for small blobs. */
export function builtInEngine(zlib: NodeZstd, level: number): ZstdEngine {
  const compressing = { [zlib.constants.ZSTD_c_compressionLevel]: level }
  const decompressing = { [zlib.constants.ZSTD_d_windowLogMax]: windowLogMax }
  return {
    compress(input, output) {
      try {
        const compressed = zlib.zstdCompressSync(input, limits(compressing, output.length))
        if (compressed.length > output.length) return -1
        output.set(compressed)
        return compressed.length
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return -1
        throw error
      }
    },
    decompress(input, output) {
      const plain = zlib.zstdDecompressSync(input, limits(decompressing, output.length))
      if (plain.length > output.length) throw new Error(`more than ${output.length} bytes come out`)
      output.set(plain)
      return plain.length
    },
  }
}

// One chunk of the expected size: Node joins nothing, and stops as soon as there is more.
function limits(params: Readonly<Record<number, number>>, bytes: number): NodeZstdOptions {
  return { params, chunkSize: Math.max(minChunkBytes, bytes), maxOutputLength: Math.max(1, bytes) }
}

import { createRequire } from 'node:module'
import type * as ZstdNapi from 'zstd-napi/binding.js'
import type { ZstdEngine } from './engine.js'

export type NativeZstd = typeof ZstdNapi

/** @throws if zstd-napi is not installed or was not built on this machine */
export async function loadNativeZstd(): Promise<NativeZstd> {
  // Not import(): Node would read the whole of a CommonJS file for its names first, in JavaScript.
  return createRequire(import.meta.url)('zstd-napi/binding.js') as NativeZstd
}

/** libzstd through zstd-napi: contexts live as long as the thread, and results go straight into our memory. */
export function nativeEngine(zstd: NativeZstd, level: number): ZstdEngine {
  const compressing = new zstd.CCtx()
  compressing.setParameter(zstd.CParameter.compressionLevel, level)
  const decompressing = new zstd.DCtx()
  return {
    // libzstd gives up at the first block that does not fit, and passes over random bytes at some GB/s: looking at a
    // sample beforehand gained nothing.
    compress(input, output) {
      // Random bytes are common (photos, archives), and the stack trace of a refusal costs more than the refusal.
      const { stackTraceLimit } = Error
      Error.stackTraceLimit = 0
      try {
        return compressing.compress2(output, input)
      } catch (error) {
        if (isOutputTooSmall(error)) return -1
        throw error
      } finally {
        Error.stackTraceLimit = stackTraceLimit
      }
    },
    // Given all input and output at once, libzstd allocates no window, whatever the frame claims.
    decompress: (input, output) => decompressing.decompress(output, input),
  }
}

// The binding gives libzstd's text and no code.
function isOutputTooSmall(error: unknown): boolean {
  return error instanceof Error && error.message === 'Destination buffer is too small'
}

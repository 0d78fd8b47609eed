import * as zlib from 'node:zlib'
import { PortError } from '@bkp/plugin-api'
import { builtInEngine, nodeZstdOf } from './built-in-engine.js'
import type { ZstdEngine } from './engine.js'
import { loadNativeZstd, type NativeZstd, nativeEngine } from './native-engine.js'

/** What an engine is chosen from. */
export interface EngineParts {
  /** Rejects where zstd-napi is not built. */
  readonly loadNative: () => Promise<NativeZstd>
  /** `node:zlib`, with or without zstd. */
  readonly zlib: object
  /** `napi` or `node` insists on one engine; anything else takes the best. Meant for tests. */
  readonly wanted: string | undefined
}

/** This process: `BKP_ZSTD_ENGINE` in the environment insists on an engine. */
export function partsOfThisProcess(): EngineParts {
  return { loadNative: loadNativeZstd, zlib, wanted: process.env.BKP_ZSTD_ENGINE }
}

/**
 * The fastest engine of this machine: zstd-napi, else Node's own.
 * @throws PortError `unsupported`
 */
export async function chooseEngine(level: number, parts: EngineParts): Promise<ZstdEngine> {
  let cause: unknown
  if (parts.wanted !== 'node') {
    try {
      return nativeEngine(await parts.loadNative(), level)
    } catch (error) {
      // Most often it was not built, since installing ran no scripts: then Node's own comes next.
      cause = error
    }
  }
  const builtIn = parts.wanted === 'napi' ? undefined : nodeZstdOf(parts.zlib)
  if (builtIn !== undefined) return builtInEngine(builtIn, level)
  throw new PortError('unsupported', 'Zstandard is not available: zstd-napi is not built and this Node has no zstd', {
    hint: 'Use Node 22.15 or newer, or install a C++ compiler and run npm rebuild zstd-napi, or choose --compression deflate',
    cause,
  })
}

import type { Chunker } from './chunker.js'
import { TypeScriptChunker } from './typescript-chunker.js'
import { WasmChunker } from './wasm-chunker.js'

/**
 * The fastest chunker that runs here; all cut alike.
 * @param gear 256 words derived from the repository's key
 * @param onFallback told why WebAssembly cannot be used, e.g. because the process may not reserve enough address space
 * @throws RangeError when `gear` has another length
 */
export function createChunker(gear: Uint32Array, onFallback?: (cause: unknown) => void): Chunker {
  try {
    return new WasmChunker(gear)
  } catch (cause) {
    // A wrong gear table throws again from here.
    const chunker = new TypeScriptChunker(gear)
    onFallback?.(cause)
    return chunker
  }
}

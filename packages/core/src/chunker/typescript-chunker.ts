import { assertGear, assertRange } from './arguments.js'
import {
  type Chunker,
  chunkerBufferBytes,
  looseMask,
  maxChunkBytes,
  minChunkBytes,
  normalChunkBytes,
  strictMask,
} from './chunker.js'

/** The reference for the WebAssembly twin, and the fallback where WebAssembly is switched off. */
export class TypeScriptChunker implements Chunker {
  readonly implementation = 'typescript'
  readonly buffer = new Uint8Array(chunkerBufferBytes)
  readonly #gear: Int32Array

  /** @param gear 256 words */
  constructor(gear: Uint32Array) {
    assertGear(gear)
    this.#gear = Int32Array.from(gear)
  }

  /** @throws RangeError when `start` and `end` are no range of `buffer` */
  cut(start: number, end: number, isLast: boolean): number {
    assertRange(start, end, this.buffer.length)
    const available = end - start
    if (available < maxChunkBytes && !isLast) return 0
    if (available <= minChunkBytes) return available
    return cutPoint(this.buffer, start, available, this.#gear)
  }
}

/** Length of the chunk that begins at `start`, with more than the minimum available. */
export function cutPoint(bytes: Uint8Array, start: number, available: number, gear: Int32Array): number {
  const limit = start + Math.min(available, maxChunkBytes)
  const normal = Math.min(start + normalChunkBytes, limit)
  let hash = 0
  let at = start + minChunkBytes
  for (; at < normal; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
    if ((hash & strictMask) === 0) return at + 1 - start
  }
  for (; at < limit; at++) {
    hash = ((hash << 1) + (gear[bytes[at] as number] as number)) | 0
    if ((hash & looseMask) === 0) return at + 1 - start
  }
  return limit - start
}

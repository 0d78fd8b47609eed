import type { Compressor } from '@bkp/plugin-api'
import type { ZstdEngine } from './engine.js'
import { checkFrame, damaged } from './frame.js'

/** Zstandard with the same strictness on every engine. */
export class ZstdCompressor implements Compressor {
  readonly #engine: ZstdEngine

  constructor(engine: ZstdEngine) {
    this.#engine = engine
  }

  compress(input: Uint8Array, output: Uint8Array): number {
    return this.#engine.compress(input, output)
  }

  decompress(input: Uint8Array, output: Uint8Array): void {
    expectSize(checkFrame(input) ?? output.length, output.length)
    let length: number
    try {
      length = this.#engine.decompress(input, output)
    } catch (cause) {
      throw damaged(cause instanceof Error ? cause.message : String(cause), cause)
    }
    expectSize(length, output.length)
  }
}

function expectSize(found: number, expected: number): void {
  if (found !== expected) throw damaged(`it holds ${found} bytes instead of ${expected}`)
}

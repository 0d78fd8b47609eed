import { assertGear, assertRange } from './arguments.js'
import { type Chunker, chunkerBufferBytes, maxChunkBytes } from './chunker.js'
import { wasmBytes } from './wasm-bytes.js'
import { webAssembly } from './webassembly.js'

const pageBytes = 65_536
// The gear table has the first page; file bytes follow, aligned to pages.
const bufferAddress = pageBytes

type Cut = (startAddress: number, endAddress: number) => number

/** Cuts as `TypeScriptChunker` does, several times as fast. `buffer` lies in WebAssembly memory. */
export class WasmChunker implements Chunker {
  readonly implementation = 'webassembly'
  readonly buffer: Uint8Array
  readonly #cut: Cut

  /**
   * @param gear 256 words
   * @throws Error where WebAssembly is switched off, RangeError when its memory cannot be reserved
   */
  constructor(gear: Uint32Array) {
    assertGear(gear)
    const api = webAssembly()
    const pages = (bufferAddress + chunkerBufferBytes) / pageBytes
    // Never grows: growing would detach `buffer`.
    const memory = new api.Memory({ initial: pages, maximum: pages })
    // A DataView, for the words are little-endian in WebAssembly on every machine.
    const table = new DataView(memory.buffer)
    gear.forEach((word, i) => {
      table.setUint32(4 * i, word, true)
    })
    this.buffer = new Uint8Array(memory.buffer, bufferAddress, chunkerBufferBytes)
    const module = new api.Module(Buffer.from(wasmBytes, 'base64'))
    this.#cut = new api.Instance(module, { env: { memory } }).exports.cut as Cut
  }

  /** @throws RangeError when `start` and `end` are no range of `buffer` */
  cut(start: number, end: number, isLast: boolean): number {
    assertRange(start, end, this.buffer.length)
    if (end - start < maxChunkBytes && !isLast) return 0
    return this.#cut(bufferAddress + start, bufferAddress + end)
  }
}

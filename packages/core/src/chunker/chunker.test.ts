import { createCipheriv, createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type Chunker, maxChunkBytes, minChunkBytes, normalChunkBytes } from './chunker.js'
import { createChunker } from './create-chunker.js'
import { TypeScriptChunker } from './typescript-chunker.js'
import { WasmChunker } from './wasm-chunker.js'

const MiB = 1024 * 1024

/** Bytes that look random and are the same everywhere: a key stream of AES-256-CTR. */
function noise(seed: string, length: number): Uint8Array {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, new Uint8Array(16)).update(new Uint8Array(length))
}

function gearOf(seed: string): Uint32Array {
  const bytes = Buffer.from(noise(seed, 1024))
  return Uint32Array.from({ length: 256 }, (_, i) => bytes.readUInt32LE(4 * i))
}

/** The format's own words, with nothing left out for speed. */
function cutsByTheBook(data: Uint8Array, gear: Uint32Array): number[] {
  const cuts: number[] = []
  for (let start = 0; start < data.length; ) {
    const n = data.length - start
    let length = Math.min(n, 4_194_304)
    if (n <= 262_144) length = n
    else {
      let h = 0n
      for (let i = 262_144; i < Math.min(n, 4_194_304); i++) {
        h = ((h << 1n) + BigInt(gear[data[start + i] as number] as number)) & 0xffffffffn
        if ((h & (i < 1_048_576 ? 0xfffffc00n : 0xffffc000n)) === 0n) {
          length = i + 1
          break
        }
      }
    }
    cuts.push(length)
    start += length
  }
  return cuts
}

/** Feeds a chunker as the engine does, with reads of the given sizes, over and over. */
function cutsOf(chunker: Chunker, data: Uint8Array, reads: readonly number[] = [chunker.buffer.length]): number[] {
  const cuts: number[] = []
  let [start, end, consumed, turn] = [0, 0, 0, 0]
  for (;;) {
    const room = Math.min(reads[turn++ % reads.length] as number, chunker.buffer.length - end, data.length - consumed)
    chunker.buffer.set(data.subarray(consumed, consumed + room), end)
    end += room
    consumed += room
    const isLast = consumed === data.length
    for (let length = chunker.cut(start, end, isLast); length > 0; length = chunker.cut(start, end, isLast)) {
      cuts.push(length)
      start += length
    }
    if (isLast) return cuts
    if (end === chunker.buffer.length) {
      chunker.buffer.copyWithin(0, start, end)
      end -= start
      start = 0
    }
  }
}

const gear = gearOf('gear')

// Of noise('golden', 12 MiB) with `gear`, computed by `cutsByTheBook`.
const golden = [
  789_226, 1_761_720, 1_287_397, 1_212_388, 1_150_325, 1_746_236, 1_392_524, 1_174_871, 675_084, 1_124_781, 268_360,
]

const samples: readonly (readonly [string, () => Uint8Array])[] = [
  ['random bytes', () => noise('random', 24 * MiB)],
  ['zeros', () => new Uint8Array(9 * MiB + 1)],
  ['a short pattern', () => new Uint8Array(9 * MiB).map((_, i) => i % 7)],
  ['a repeated block', () => new Uint8Array(10 * MiB).map((_, i) => (i % 4099) * 31)],
  ['a real program', () => readFileSync(process.execPath).subarray(0, 24 * MiB)],
  ['a real text', () => readFileSync(new URL('../../../../package-lock.json', import.meta.url))],
]

const implementations: readonly (readonly [string, (table: Uint32Array) => Chunker])[] = [
  ['TypeScriptChunker', (table) => new TypeScriptChunker(table)],
  ['WasmChunker', (table) => new WasmChunker(table)],
]

describe.each(implementations)('%s', (_name, make) => {
  const chunker = make(gear)

  it('cuts fixed data with a fixed table where it always did', () => {
    expect(cutsOf(chunker, noise('golden', 12 * MiB))).toEqual(golden)
  })

  it('cuts as the words of the format say', () => {
    const data = noise('book', 6 * MiB)
    expect(cutsOf(chunker, data)).toEqual(cutsByTheBook(data, gear))
  })

  it.each([
    [normalChunkBytes - 1, 0x3ff, normalChunkBytes],
    [normalChunkBytes - 1, 0x400, 2 * MiB],
    [normalChunkBytes, 0x3fff, normalChunkBytes + 1],
    [normalChunkBytes, 0x4000, 2 * MiB],
  ])('with a hash that is low at byte %i only, and %i there, cuts %i bytes', (at, low, expected) => {
    // Byte 2 keeps the hash at 0x80000000, byte 0 makes it `low`, and byte 1 brings it back.
    const table = new Uint32Array(256)
    table.set([low, 0x80000000 - 2 * low, 0x80000000])
    const steady = make(table)
    steady.buffer.fill(2, 0, 2 * MiB)
    steady.buffer.set([0, 1], at)
    expect(steady.cut(0, 2 * MiB, true)).toBe(expected)
  })

  it('never looks at the first bytes of a chunk', () => {
    const zeroHash = make(new Uint32Array(256))
    expect(zeroHash.cut(0, maxChunkBytes, false)).toBe(minChunkBytes + 1)
  })

  it.each([1, 2, minChunkBytes - 1, minChunkBytes])('leaves a file of %i bytes whole', (size) => {
    expect(cutsOf(chunker, noise('small', size))).toEqual([size])
  })

  it('gives the maximum when nothing tells it to cut', () => {
    const never = make(new Uint32Array(256).fill(0x80000000))
    expect(cutsOf(never, new Uint8Array(9 * MiB))).toEqual([maxChunkBytes, maxChunkBytes, MiB])
  })

  it('asks for more bytes until the largest chunk is there or the stream ends', () => {
    expect(chunker.cut(0, maxChunkBytes - 1, false)).toBe(0)
    expect(chunker.cut(0, maxChunkBytes, false)).toBeGreaterThan(minChunkBytes)
    expect(chunker.cut(0, maxChunkBytes - 1, true)).toBeGreaterThan(minChunkBytes)
  })

  it('gives nothing at the end of a stream', () => {
    expect(chunker.cut(77, 77, true)).toBe(0)
    expect(cutsOf(chunker, new Uint8Array(0))).toEqual([])
  })

  it('cuts the end of its buffer, too', () => {
    const { length } = chunker.buffer
    expect(chunker.cut(length - 5, length, true)).toBe(5)
  })

  it.each([
    [-1, 5],
    [6, 5],
    [0, 16 * MiB + 1],
    [0.5, 5],
    [0, Number.NaN],
  ])('refuses %d to %d as a range', (start, end) => {
    expect(() => chunker.cut(start, end, true)).toThrow(RangeError)
  })

  it('refuses a table of another size', () => {
    expect(() => make(new Uint32Array(255))).toThrow('256 words, not 255')
  })

  it('depends on the key', () => {
    const data = noise('key', 8 * MiB)
    expect(cutsOf(make(gearOf('another')), data)).not.toEqual(cutsOf(chunker, data))
  })
})

describe('both chunkers', () => {
  const script = new TypeScriptChunker(gear)
  const wasm = new WasmChunker(gear)

  it.each(samples)('cut %s alike, and completely', (_name, sample) => {
    const data = sample()
    const cuts = cutsOf(script, data)
    expect(cutsOf(wasm, data)).toEqual(cuts)
    expect(cuts.reduce((sum, length) => sum + length, 0)).toBe(data.length)
    expect(cuts.slice(0, -1).every((length) => length > minChunkBytes && length <= maxChunkBytes)).toBe(true)
  })

  it('cut alike whatever the reads are', () => {
    const data = noise('reads', 17 * MiB)
    const whole = cutsOf(script, data)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1000, max: 5 * MiB }), { minLength: 1, maxLength: 6 }), (reads) => {
        expect(cutsOf(wasm, data, reads)).toEqual(whole)
        expect(cutsOf(script, data, reads)).toEqual(whole)
      }),
      { numRuns: 8 },
    )
  })

  it('cut alike for any table, place and length', () => {
    const data = noise('places', 6 * MiB)
    fc.assert(
      fc.property(fc.string(), fc.nat(MiB), fc.nat(5 * MiB), (seed, start, length) => {
        const table = gearOf(seed)
        const pair = [new TypeScriptChunker(table), new WasmChunker(table)] as const
        for (const one of pair) one.buffer.set(data)
        expect(pair[1].cut(start, start + length, true)).toBe(pair[0].cut(start, start + length, true))
      }),
      { numRuns: 15 },
    )
  })
})

describe('createChunker', () => {
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('prefers WebAssembly', () => {
    const told: unknown[] = []
    expect(createChunker(gear, (cause) => told.push(cause)).implementation).toBe('webassembly')
    expect(told).toEqual([])
  })

  it('falls back to TypeScript and says why where Node runs without WebAssembly', () => {
    vi.stubGlobal('WebAssembly', undefined)
    const told: unknown[] = []
    const chunker = createChunker(gear, (cause) => told.push(cause))
    expect(chunker.implementation).toBe('typescript')
    expect(told).toEqual([new Error('This Node runs without WebAssembly')])
    expect(cutsOf(chunker, noise('golden', 12 * MiB))).toEqual(golden)
  })

  it('refuses a table of another size instead of falling back', () => {
    const told: unknown[] = []
    expect(() => createChunker(new Uint32Array(3), (cause) => told.push(cause))).toThrow('256 words, not 3')
    expect(told).toEqual([])
  })
})

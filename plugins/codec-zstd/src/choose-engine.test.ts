import * as zlib from 'node:zlib'
import { type CompressionModule, isPortError } from '@bkp/plugin-api'
import { describeCompression } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { builtInEngine, type NodeZstd, nodeZstdOf } from './built-in-engine.js'
import { chooseEngine, type EngineParts } from './choose-engine.js'
import { loadNativeZstd, nativeEngine } from './native-engine.js'
import { ZstdCompressor } from './zstd-compressor.js'

const native = await loadNativeZstd()

/** What Node 22.15 has in `node:zlib`, on libzstd of zstd-napi, for runs on Node 20. */
const imitation: NodeZstd = {
  constants: { ZSTD_c_compressionLevel: native.CParameter.compressionLevel, ZSTD_d_windowLogMax: -1 },
  zstdCompressSync(input, { params, maxOutputLength }) {
    const output = new Uint8Array(native.compressBound(input.length))
    const level = params[native.CParameter.compressionLevel] ?? 0
    return atMost(maxOutputLength, output.subarray(0, native.compress(output, input, level)))
  },
  zstdDecompressSync(input, { chunkSize, maxOutputLength }) {
    const stream = new native.DCtx()
    const output = new Uint8Array(chunkSize + 1)
    const [missing, produced] = stream.decompressStream(output, input)
    if (missing > 0 && produced <= maxOutputLength) throw new Error('unexpected end of file')
    return atMost(maxOutputLength, output.subarray(0, produced))
  },
}

function atMost(bytes: number, output: Uint8Array): Uint8Array {
  if (output.length <= bytes) return output
  throw Object.assign(new RangeError(`Cannot create a Buffer larger than ${bytes} bytes`), {
    code: 'ERR_BUFFER_TOO_LARGE',
  })
}

const withZstd = nodeZstdOf(zlib) ?? imitation
const withoutZstd = {}
const notBuilt = () => Promise.reject(new Error('Cannot find module binding.node'))
const parts: EngineParts = { loadNative: loadNativeZstd, zlib: withZstd, wanted: undefined }

const builtIn: CompressionModule = {
  id: 'zstd',
  create: async () => new ZstdCompressor(await chooseEngine(3, { ...parts, wanted: 'node' })),
}

const sample = Buffer.from('zstd of Node and of zstd-napi '.repeat(20))

describeCompression(builtIn, {
  name: nodeZstdOf(zlib) === undefined ? 'an imitation of node:zlib' : 'node:zlib',
  vectors: [
    { name: 'what zstd-napi wrote', plain: sample, compressedHex: toHex(nativeEngine(native, 3)) },
    {
      name: 'a frame that does not tell its size',
      plain: Buffer.from('abc'),
      compressedHex: '28b52ffd0058190000616263',
    },
  ],
})

describe('the engine of zstd', () => {
  it('is zstd-napi where it is built', async () => {
    const engine = await chooseEngine(3, { ...parts, zlib: withoutZstd })
    expect(engine.compress(sample, new Uint8Array(1000))).toBeGreaterThan(0)
  })

  it('is the one inside Node where zstd-napi is not built', async () => {
    const engine = await chooseEngine(3, { ...parts, loadNative: notBuilt })
    expect(engine.compress(sample, new Uint8Array(1000))).toBeGreaterThan(0)
  })

  it('writes bytes that the other one reads', () => {
    const compressed = Buffer.from(toHex(builtInEngine(withZstd, 3)), 'hex')
    const output = new Uint8Array(sample.length)
    new ZstdCompressor(nativeEngine(native, 3)).decompress(compressed, output)
    expect(Buffer.compare(output, sample)).toBe(0)
  })

  it.each([
    { name: 'neither is there', change: { loadNative: notBuilt, zlib: withoutZstd } },
    { name: 'Node has none and is insisted on', change: { zlib: withoutZstd, wanted: 'node' } },
    { name: 'zstd-napi is not built and is insisted on', change: { loadNative: notBuilt, wanted: 'napi' } },
  ])('is unsupported with a hint when $name', async ({ change }) => {
    const failure: unknown = await chooseEngine(3, { ...parts, ...change }).catch((error: unknown) => error)
    expect(isPortError(failure, 'unsupported')).toBe(true)
    expect((failure as { hint: string }).hint).toContain('Node 22.15')
  })
})

function toHex(engine: { compress(input: Uint8Array, output: Uint8Array): number }): string {
  const output = new Uint8Array(1000)
  return Buffer.from(output.subarray(0, engine.compress(sample, output))).toString('hex')
}

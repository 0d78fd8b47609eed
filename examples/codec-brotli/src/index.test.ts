import { Worker } from 'node:worker_threads'
import { describeCompression, expectPortError, expectPortRejection, textLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { BrotliCompressor } from './brotli-compressor.js'
import brotli from './index.js'

const text = Buffer.from('the backup of a folder, '.repeat(6) + '0123456789'.repeat(3))

// On disk for ever: what was written once is never taken out of this list.
const vectors = [
  {
    name: 'what Node 20 wrote at level 1',
    plain: text,
    compressedHex:
      '8b56000080aaaaaaeaff7465b8eb61d96f47d145400154014441411536e01c760903c40107d4e1004e3ce637072ab5f50f844160d97d5c857748d1c63a1f62cac5c2',
  },
  {
    name: 'what Node 20 wrote at level 5',
    plain: text,
    compressedHex: '1bad000004a27644bae3074fbf61d04d56502d4a2f434526a76ae5ed05fc2f2798c40dde5268a19aa75c6aeb43',
  },
  {
    name: 'what Node 20 wrote at level 11',
    plain: text,
    compressedHex: '1bad0000c46a47a40b78cf9761d04d56502dca2e430526a7eae4ed05f85f9cc6445f8ecb16128b9a47d610',
  },
  { name: 'a meta-block that is not compressed', plain: Buffer.from('stored'), compressedHex: '8b028073746f72656403' },
  { name: 'an empty stream', plain: new Uint8Array(0), compressedHex: '3b' },
]

describeCompression(brotli, { vectors })
describeCompression(brotli, { name: 'level 0', configuration: { level: 0 }, vectors })

describe('brotli', () => {
  it.each([-1, 12, 2.5, '6', null])('refuses the level %j', (level) =>
    expectPortRejection('config', async () => brotli.create({ level })),
  )

  it('gets smaller by level', () => {
    const plain = textLikeBytes(100_000)
    const lengths = [0, 5, 11].map((level) => new BrotliCompressor(level).compress(plain, new Uint8Array(100_000)))
    expect(lengths).toEqual([...lengths].sort((one, other) => other - one))
    expect(new Set(lengths).size).toBe(lengths.length)
  })

  it('stops at a bomb before it takes the memory', () => {
    const packed = new Uint8Array(1000)
    const bomb = packed.subarray(0, new BrotliCompressor(4).compress(new Uint8Array(64 * 1_048_576), packed))
    expect(bomb.length).toBeGreaterThan(0)
    const before = process.memoryUsage().external
    expectPortError('corrupt', () => new BrotliCompressor(5).decompress(bomb, new Uint8Array(1000)))
    expect(process.memoryUsage().external - before).toBeLessThan(1_048_576)
  })

  it('works in a worker thread, where bkp loads the built module', async () => {
    const program = `const { parentPort, workerData } = require('node:worker_threads')
      import(workerData.module).then(async ({ default: codec }) => {
        const compressor = await codec.create({})
        const packed = new Uint8Array(workerData.plain.length)
        const length = compressor.compress(workerData.plain, packed)
        const output = new Uint8Array(workerData.plain.length)
        compressor.decompress(packed.subarray(0, length), output)
        parentPort.postMessage({ length, output })
      })`
    const plain = textLikeBytes(50_000)
    const workerData = { module: new URL('../dist/index.js', import.meta.url).href, plain }
    const { length, output } = await new Promise<{ length: number; output: Uint8Array }>((resolve, reject) => {
      new Worker(program, { eval: true, workerData }).once('message', resolve).once('error', reject)
    })
    expect(length).toBeLessThan(25_000)
    expect(Buffer.compare(output, plain)).toBe(0)
  })
})

import type { CompressionModule, Compressor } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { textLikeBytes } from '../support/samples.js'
import { speedLine, speedOf, speedSizes } from '../support/speed.js'
import { describeDamage } from './damage.js'
import { describeRoundTrips } from './round-trips.js'

/** Bytes that some version has written and that every later one must read. */
export interface CompressionVector {
  /** What it shows, e.g. `a frame without a content size`. */
  readonly name: string
  readonly plain: Uint8Array
  readonly compressedHex: string
}

export interface CompressionSuiteOptions {
  /** Shown beside the id, e.g. `level 19`. */
  readonly name?: string
  readonly configuration?: Readonly<Record<string, unknown>>
  /** At least one: compressed bytes are on disk for ever. */
  readonly vectors: readonly CompressionVector[]
}

/** Gives the instance under test; only inside of tests. */
export type GetCompressor = () => Compressor

/** The suite that every compression plugin runs. Call it at the top level of a test file. */
export function describeCompression(module: CompressionModule, options: CompressionSuiteOptions): void {
  const title = options.name === undefined ? module.id : `${module.id}, ${options.name}`
  describe(`compression ${title}`, () => {
    let created: Compressor | undefined
    beforeAll(async () => {
      created = await module.create(options.configuration ?? {})
    })
    const compressor: GetCompressor = () => {
      if (created === undefined) throw new Error(`${module.id} could not be created`)
      return created
    }

    it('has an id that can be written on disk', () => {
      expect(module.id).toMatch(/^[a-z0-9.-]{1,32}$/)
      expect(module.id).not.toBe('none')
    })

    describeRoundTrips(module, options, compressor)
    describeDamage(compressor)
    describeVectors(options.vectors, compressor)
    afterAll(() => reportSpeed(title, compressor()))
  })
}

function describeVectors(vectors: readonly CompressionVector[], compressor: GetCompressor): void {
  it('comes with bytes that pin the format', () => {
    expect(vectors.length).toBeGreaterThan(0)
  })

  it.each(vectors)('reads $name', ({ plain, compressedHex }) => {
    const output = new Uint8Array(plain.length)
    compressor().decompress(Buffer.from(compressedHex, 'hex'), output)
    expect(Buffer.compare(output, plain)).toBe(0)
  })
}

function reportSpeed(title: string, compressor: Compressor): void {
  const lines = Object.entries(speedSizes).map(([sizeName, sizeBytes]) => {
    const plain = textLikeBytes(sizeBytes)
    const packed = new Uint8Array(sizeBytes)
    const length = compressor.compress(plain, packed)
    const compressed = packed.slice(0, Math.max(0, length))
    const output = new Uint8Array(sizeBytes)
    return speedLine(title, `${sizeName} of text to ${((100 * length) / sizeBytes).toFixed(0)} %`, {
      compress: speedOf(sizeBytes, () => compressor.compress(plain, packed)),
      decompress: speedOf(sizeBytes, () => compressor.decompress(compressed, output)),
    })
  })
  console.info(lines.join('\n'))
}

import type { CompressionModule, Compressor } from '@bkp/plugin-api'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { describeGoldenCompression } from '../golden/golden-compression.js'
import { growthDuring, memoryText, type ReportRow, speedText, tellReport, wantsReport } from '../report/report.js'
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

/** How a codec is tested. */
export interface CompressionSuiteOptions {
  /** Shown beside the id, e.g. `level 19`. */
  readonly name?: string
  readonly configuration?: Readonly<Record<string, unknown>>
  /** Bytes from elsewhere: a specification, another program, an older format. Left out only where there is a golden file. */
  readonly vectors?: readonly CompressionVector[]
  /**
   * A JSON file in the plugin's repository that pins its bytes for ever: whatever it holds must be read. Written and
   * extended by `BKP_GOLDEN=update npm test`, e.g. `new URL('../golden.json', import.meta.url)`.
   */
  readonly golden?: URL
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
    describeVectors(options, compressor)
    if (options.golden !== undefined) describeGoldenCompression(options.golden, module.id, compressor)
    afterAll(() => reportSpeed(title, compressor()))
  })
}

function describeVectors({ vectors = [], golden }: CompressionSuiteOptions, compressor: GetCompressor): void {
  it('comes with bytes that pin the format', () => {
    expect(golden !== undefined || vectors.length > 0).toBe(true)
  })

  it.each(vectors)('reads $name', ({ plain, compressedHex }) => {
    const output = new Uint8Array(plain.length)
    compressor().decompress(Buffer.from(compressedHex, 'hex'), output)
    expect(Buffer.compare(output, plain)).toBe(0)
  })
}

async function reportSpeed(title: string, compressor: Compressor): Promise<void> {
  const lines: string[] = []
  const rows: ReportRow[] = []
  for (const [sizeName, sizeBytes] of Object.entries(speedSizes)) {
    const plain = textLikeBytes(sizeBytes)
    const packed = new Uint8Array(sizeBytes)
    const length = compressor.compress(plain, packed)
    const compressed = packed.slice(0, Math.max(0, length))
    const output = new Uint8Array(sizeBytes)
    const ratio = `${((100 * length) / sizeBytes).toFixed(0)} %`
    const speeds = { compress: 0, decompress: 0 }
    const growth = await growthDuring(() => {
      speeds.compress = speedOf(sizeBytes, () => compressor.compress(plain, packed))
      speeds.decompress = speedOf(sizeBytes, () => compressor.decompress(compressed, output))
    })
    lines.push(speedLine(title, `${sizeName} of text to ${ratio}`, speeds))
    const [compress, decompress] = [speedText(speeds.compress), speedText(speeds.decompress)]
    const cells = { 'shrinks to': ratio, compress, decompress, memory: memoryText(growth) }
    rows.push({ what: `${sizeName} of text`, cells })
  }
  if (wantsReport()) tellReport(`compression ${title}`, rows)
  else console.info(lines.join('\n'))
}

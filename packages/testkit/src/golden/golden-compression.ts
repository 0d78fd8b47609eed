import type { Compressor } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import {
  base64Of,
  bytesOf,
  type GoldenCompression,
  goldenHint,
  mayUpdateGolden,
  readGolden,
  writeGolden,
} from './golden-file.js'
import { goldenSamples } from './golden-samples.js'

/**
 * Tests that compressed bytes of a golden file are read for ever. An update adds what the codec writes now and keeps what
 * older versions wrote: nothing is ever removed.
 */
export function describeGoldenCompression(file: URL, id: string, compressor: () => Compressor): void {
  const golden = readGolden<GoldenCompression>(file, 'compression', id)
  describe('golden vectors', () => {
    if (mayUpdateGolden()) it('are written', () => update(file, id, golden?.vectors ?? [], compressor()))

    it('are there', () => {
      expect(readGolden(file, 'compression', id)?.vectors.length ?? 0, goldenHint).toBeGreaterThan(0)
    })

    for (const { name, plain, compressed } of golden?.vectors ?? [])
      it(`are read: ${name}`, () => {
        const expected = bytesOf(plain)
        const output = new Uint8Array(expected.length)
        compressor().decompress(Buffer.from(compressed, 'base64'), output)
        expect(Buffer.compare(output, expected)).toBe(0)
      })
  })
}

function update(file: URL, id: string, old: readonly GoldenCompression[], compressor: Compressor): void {
  const written = goldenSamples.map(({ name, plain }) => {
    const bytes = bytesOf(plain)
    const output = new Uint8Array(bytes.length + (bytes.length >> 3) + 1024)
    const length = compressor.compress(bytes, output)
    expect(length).toBeGreaterThan(0)
    return { name, plain, compressed: base64Of(output.subarray(0, length)) }
  })
  writeGolden(file, { bkpGolden: 1, port: 'compression', id, vectors: extended(old, written) })
}

/** The old vectors as they are, and those of the new ones whose bytes no old one has. */
export function extended(
  old: readonly GoldenCompression[],
  written: readonly GoldenCompression[],
): readonly GoldenCompression[] {
  const added = written.filter(({ name, compressed }) =>
    old.every((one) => baseName(one.name) !== name || one.compressed !== compressed),
  )
  return [...old, ...added.map((vector) => ({ ...vector, name: freeName(vector.name, old) }))]
}

function baseName(name: string): string {
  return name.replace(/, \d+$/, '')
}

/** `text`, then `text, 2`: names of tests should differ. */
function freeName(name: string, old: readonly GoldenCompression[]): string {
  const before = old.filter((one) => baseName(one.name) === name).length
  return before === 0 ? name : `${name}, ${before + 1}`
}

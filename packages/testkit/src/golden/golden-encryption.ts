import { describe, expect, it } from 'vitest'
import type { CipherUnderTest } from '../encryption/describe-encryption.js'
import { randomLikeBytes } from '../support/samples.js'
import {
  base64Of,
  bytesOf,
  type GoldenBytes,
  type GoldenSealing,
  goldenHint,
  mayUpdateGolden,
  readGolden,
  writeGolden,
} from './golden-file.js'
import { goldenSamples } from './golden-samples.js'

/**
 * Tests that a cipher seals to exactly the bytes of a golden file, and opens them. An update adds vectors that are missing;
 * one that is there never changes.
 */
export function describeGoldenEncryption(file: URL, tested: CipherUnderTest): void {
  const { id } = tested.module
  const golden = readGolden<GoldenSealing>(file, 'encryption', id)
  describe('golden vectors', () => {
    if (mayUpdateGolden()) it('are written', () => update(file, tested, golden?.vectors ?? []))

    it('are there', () => {
      expect(readGolden(file, 'encryption', id)?.vectors.length ?? 0, goldenHint).toBeGreaterThan(0)
    })

    for (const { name, plain, sealed, ...parts } of golden?.vectors ?? [])
      it(`are sealed to the same bytes and opened: ${name}`, () => {
        const { key, nonce, aad } = decoded(parts)
        const expected = bytesOf(plain)
        expect(sealedOf(tested, parts, plain)).toBe(sealed)
        const output = new Uint8Array(expected.length)
        tested.cipher().open(key, nonce, aad, Buffer.from(sealed, 'base64'), output)
        expect(Buffer.compare(output, expected)).toBe(0)
      })
  })
}

type Parts = Pick<GoldenSealing, 'key' | 'nonce' | 'aad'>

function decoded({ key, nonce, aad }: Parts) {
  const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))
  return { key: bytes(key), nonce: bytes(nonce), aad: bytes(aad) }
}

function sealedOf({ module, cipher }: CipherUnderTest, parts: Parts, plain: GoldenBytes): string {
  const { key, nonce, aad } = decoded(parts)
  const bytes = bytesOf(plain)
  const output = new Uint8Array(bytes.length + module.overheadBytes)
  cipher().seal(key, nonce, aad, bytes, output)
  return base64Of(output)
}

function update(file: URL, tested: CipherUnderTest, old: readonly GoldenSealing[]): void {
  // A sealed megabyte would be a megabyte in the file.
  const samples = goldenSamples.filter(({ plain }) => (plain.times ?? 1) === 1)
  const missing = samples.filter(({ name }) => old.every((one) => one.name !== name))
  const added = missing.map(({ name, plain }, n) => {
    const parts = {
      key: base64Of(randomLikeBytes(32, 100 + n)),
      nonce: base64Of(randomLikeBytes(tested.module.nonceBytes, 200 + n)),
      aad: base64Of(randomLikeBytes(8 * n, 300 + n)),
    }
    return { name, ...parts, plain, sealed: sealedOf(tested, parts, plain) }
  })
  writeGolden(file, { bkpGolden: 1, port: 'encryption', id: tested.module.id, vectors: [...old, ...added] })
}

import type { Cipher } from '@bkp/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GuardedBytes, inSharedMemory, randomLikeBytes, textLikeBytes } from '../support/samples.js'
import type { CipherUnderTest } from './describe-encryption.js'

const sizes = [0, 1, 15, 16, 17, 10_000, 1_048_577, 16_777_216]

/** One (key, nonce, aad), the same in every run. */
export interface Parameters {
  readonly key: Uint8Array
  readonly nonce: Uint8Array
  readonly aad: Uint8Array
}

export function parametersFor(nonceBytes: number): Parameters {
  return { key: randomLikeBytes(32, 11), nonce: randomLikeBytes(nonceBytes, 12), aad: randomLikeBytes(64, 13) }
}

/** Seals into memory with margins, which must stay as they were. */
export function seal(
  { module, cipher }: CipherUnderTest,
  { key, nonce, aad }: Parameters,
  plain: Uint8Array,
): Uint8Array {
  const output = new GuardedBytes(plain.length + module.overheadBytes)
  cipher().seal(key, nonce, aad, plain, output.middle)
  expect(output.isIntact).toBe(true)
  return output.middle
}

function open(cipher: Cipher, { key, nonce, aad }: Parameters, sealed: Uint8Array, sizeBytes: number): Uint8Array {
  const output = new GuardedBytes(sizeBytes)
  cipher.open(key, nonce, aad, sealed, output.middle)
  expect(output.isIntact).toBe(true)
  return output.middle
}

export function describeSealing(tested: CipherUnderTest): void {
  const { module, cipher } = tested
  const parameters = parametersFor(module.nonceBytes)
  const sealedAndOpened = (used: Parameters, plain: Uint8Array) =>
    open(cipher(), used, seal(tested, used, plain), plain.length)

  describe('sealing and opening', () => {
    it.each(sizes)('gives back %i bytes', (sizeBytes) => {
      const plain = textLikeBytes(sizeBytes)
      expect(Buffer.compare(sealedAndOpened(parameters, plain), plain)).toBe(0)
    })

    it('gives back any bytes, with any key, nonce and aad', () => {
      const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
      const anything = fc.record({
        key: bytes(32),
        nonce: bytes(module.nonceBytes),
        aad: fc.uint8Array({ maxLength: 200 }),
        plain: fc.uint8Array({ maxLength: 1000, size: 'max' }),
      })
      fc.assert(
        fc.property(anything, ({ plain, ...used }) => Buffer.compare(sealedAndOpened(used, plain), plain) === 0),
        { numRuns: 200 },
      )
    })

    it('depends on key, nonce, aad and plaintext alone', () => {
      const plain = textLikeBytes(1000)
      const first = seal(tested, parameters, plain)
      seal(tested, { ...parameters, key: randomLikeBytes(32, 99) }, plain)
      expect(Buffer.compare(seal(tested, parameters, plain), first)).toBe(0)
    })

    it.each(['key', 'nonce'] as const)('gives wholly other bytes with another %s', (part) => {
      const plain = new Uint8Array(4096)
      const one = seal(tested, parameters, plain)
      const other = seal(tested, { ...parameters, [part]: randomLikeBytes(parameters[part].length, 77) }, plain)
      const same = one.reduce((count, byte, at) => count + (byte === other[at] ? 1 : 0), 0)
      // One byte in 256 is equal by chance.
      expect(same).toBeLessThan(plain.length / 50)
    })

    it('shows nothing of the plaintext', () => {
      const plain = textLikeBytes(4096)
      const sealed = Buffer.from(seal(tested, parameters, plain))
      for (let at = 0; at + 8 <= plain.length; at += 8) {
        expect(sealed.includes(Buffer.from(plain.subarray(at, at + 8)))).toBe(false)
      }
    })

    it('reads key and nonce at every call, also when their memory is used again', () => {
      const plain = textLikeBytes(100)
      const other = { ...parameters, key: randomLikeBytes(32, 21), nonce: randomLikeBytes(module.nonceBytes, 22) }
      const expected = seal(tested, other, plain)
      const reused = { ...parameters, key: parameters.key.slice(), nonce: parameters.nonce.slice() }
      seal(tested, reused, plain)
      reused.key.set(other.key)
      reused.nonce.set(other.nonce)
      expect(Buffer.compare(seal(tested, reused, plain), expected)).toBe(0)
    })

    it('leaves what it is given as it was, also in shared memory', () => {
      const plain = textLikeBytes(50_000)
      const shared = {
        key: inSharedMemory(parameters.key),
        nonce: inSharedMemory(parameters.nonce),
        aad: inSharedMemory(parameters.aad),
      }
      const sealed = inSharedMemory(seal(tested, shared, inSharedMemory(plain)))
      const before = Uint8Array.from(sealed)
      expect(Buffer.compare(open(cipher(), shared, sealed, plain.length), plain)).toBe(0)
      expect(Buffer.compare(sealed, before)).toBe(0)
      for (const part of ['key', 'nonce', 'aad'] as const) {
        expect(Buffer.compare(shared[part], parameters[part])).toBe(0)
      }
    })

    it('is opened by another instance, as another thread or a later run has it', async () => {
      const plain = textLikeBytes(1000)
      const other = await module.create({})
      expect(Buffer.compare(open(other, parameters, seal(tested, parameters, plain), plain.length), plain)).toBe(0)
    })

    it('serves one thread for a long time', () => {
      for (let round = 1; round <= 1000; round++) {
        const used = { ...parameters, nonce: randomLikeBytes(module.nonceBytes, round) }
        const plain = randomLikeBytes(round, round)
        expect(Buffer.compare(sealedAndOpened(used, plain), plain)).toBe(0)
      }
    })
  })
}

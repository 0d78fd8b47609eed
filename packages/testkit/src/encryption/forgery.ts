import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expectPortError, failureOf } from '../support/port-failures.js'
import { GuardedBytes, textLikeBytes, withFlippedBit } from '../support/samples.js'
import type { CipherUnderTest } from './describe-encryption.js'
import { type Parameters, parametersFor, seal } from './sealing.js'

const plain = textLikeBytes(300)

export function describeForgery(tested: CipherUnderTest): void {
  const { module, cipher } = tested
  const parameters = parametersFor(module.nonceBytes)

  /** Opens into memory that is full of other bytes, and looks at what is left there. */
  const expectRefusal = ({ key, nonce, aad }: Parameters, sealed: Uint8Array) => {
    const output = new GuardedBytes(Math.max(0, sealed.length - module.overheadBytes))
    expect(failureOf(() => cipher().open(key, nonce, aad, sealed, output.middle))).toBe('corrupt')
    expect(output.middle.every((byte) => byte === 0)).toBe(true)
    expect(output.isIntact).toBe(true)
  }

  describe('what was not sealed like this is corrupt and leaves zeros', () => {
    it.each(['key', 'nonce', 'aad'] as const)('any bit of the %s', (part) => {
      const sealed = seal(tested, parameters, plain)
      for (let bit = 0; bit < parameters[part].length * 8; bit++) {
        expectRefusal({ ...parameters, [part]: withFlippedBit(parameters[part], bit) }, sealed)
      }
    })

    it('an aad that is shorter, longer or missing', () => {
      const sealed = seal(tested, parameters, plain)
      const { aad } = parameters
      for (const other of [new Uint8Array(0), aad.subarray(1), Uint8Array.from([...aad, 0])]) {
        expectRefusal({ ...parameters, aad: other }, sealed)
      }
    })

    it('any bit of ciphertext and tag', () => {
      const sealed = seal(tested, parameters, plain)
      for (let bit = 0; bit < sealed.length * 8; bit++) expectRefusal(parameters, withFlippedBit(sealed, bit))
    })

    it('bytes that were cut off or added', () => {
      const sealed = seal(tested, parameters, plain)
      for (let length = 0; length < sealed.length; length++) expectRefusal(parameters, sealed.subarray(0, length))
      expectRefusal(parameters, sealed.subarray(1))
      expectRefusal(parameters, Uint8Array.from([...sealed, 0]))
    })

    it('a large blob with one wrong byte at its end', () => {
      const sealed = seal(tested, parameters, textLikeBytes(1_048_576))
      expectRefusal(parameters, withFlippedBit(sealed, sealed.length * 8 - 1))
    })

    it('any other bytes', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300, size: 'max' }), (bytes) => expectRefusal(parameters, bytes)),
      )
    })

    it('and does not spoil what comes after it', () => {
      const sealed = seal(tested, parameters, plain)
      expectRefusal(parameters, withFlippedBit(sealed, 5))
      const output = new Uint8Array(plain.length)
      cipher().open(parameters.key, parameters.nonce, parameters.aad, sealed, output)
      expect(Buffer.compare(output, plain)).toBe(0)
    })

    it('nothing at all, without room for a tag', () => {
      const { key, nonce, aad } = parameters
      expectPortError('corrupt', () => cipher().open(key, nonce, aad, new Uint8Array(0), new Uint8Array(0)))
    })
  })
}

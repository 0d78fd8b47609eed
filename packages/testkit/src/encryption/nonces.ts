import { describe, expect, it } from 'vitest'
import { withFlippedBit } from '../support/samples.js'
import type { CipherUnderTest } from './describe-encryption.js'
import { parametersFor, seal } from './sealing.js'

const blockBytes = 16
const plainBytes = 64 * blockBytes

/**
 * Looks for a piece of keystream that two nonces share, or that one has twice.
 *
 * @param sealZeros gives what some zeros are sealed to: the keystream
 * @returns where it is, for people; undefined when there is none
 */
export function keystreamTwice(
  sealZeros: (nonce: Uint8Array) => Uint8Array,
  nonces: readonly Uint8Array[],
): string | undefined {
  const owners = new Map<string, string>()
  for (const nonce of nonces) {
    const sealed = Buffer.from(sealZeros(nonce))
    for (let at = 0; at + blockBytes <= plainBytes; at += blockBytes) {
      const block = sealed.subarray(at, at + blockBytes).toString('hex')
      const place = `block ${at / blockBytes} of nonce ${Buffer.from(nonce).toString('hex')}`
      const owner = owners.get(block)
      if (owner !== undefined) return `${place} has the keystream of ${owner}`
      owners.set(block, place)
    }
  }
  return undefined
}

/**
 * Core gives every nonce once for a key; a cipher can still spend a keystream twice: by leaving out bytes of the nonce, or by
 * counting blocks where the next nonce begins. Sealed zeros show the keystream itself.
 */
export function describeNonces(tested: CipherUnderTest): void {
  const { nonceBytes } = tested.module
  const parameters = parametersFor(nonceBytes)
  const zeros = new Uint8Array(plainBytes)

  const expectNoBlockTwice = (nonces: readonly Uint8Array[]) => {
    expect(keystreamTwice((nonce) => seal(tested, { ...parameters, nonce }, zeros), nonces)).toBeUndefined()
  }

  describe('a keystream is never used twice', () => {
    it('whichever bit of the nonce differs', () => {
      const flipped = Array.from({ length: nonceBytes * 8 }, (_, bit) => withFlippedBit(parameters.nonce, bit))
      expectNoBlockTwice([parameters.nonce, ...flipped])
    })

    it.each(['first', 'last'] as const)('with nonces that count up in their %s byte', (end) => {
      const counted = Array.from({ length: 70 }, (_, count) => {
        const nonce = parameters.nonce.slice()
        nonce[end === 'first' ? 0 : nonceBytes - 1] = count
        return nonce
      })
      expectNoBlockTwice(counted)
    })

    it('with another key and the same nonce', () => {
      const one = seal(tested, parameters, zeros)
      const other = seal(tested, { ...parameters, key: withFlippedBit(parameters.key, 255) }, zeros)
      for (let at = 0; at + blockBytes <= plainBytes; at += blockBytes)
        expect(Buffer.compare(one.subarray(at, at + blockBytes), other.subarray(at, at + blockBytes))).not.toBe(0)
    })
  })
}

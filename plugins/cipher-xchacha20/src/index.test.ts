import { describeEncryption, expectPortError } from '@bkp/testkit'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import xchacha20 from './index.js'
import { javascriptCipher } from './javascript-cipher.js'
import { isOpensslAble, opensslCipher } from './openssl-cipher.js'

const golden = new URL('../golden.json', import.meta.url)
const vectors = [
  {
    name: 'draft-irtf-cfrg-xchacha-03, A.3.1',
    key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
    nonce: '404142434445464748494a4b4c4d4e4f5051525354555657',
    aad: '50515253c0c1c2c3c4c5c6c7',
    plaintext: Buffer.from(
      "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
    ).toString('hex'),
    sealed:
      'bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb' +
      '731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452' +
      '2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9' +
      '21f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49',
  },
]

describeEncryption(xchacha20, { vectors, golden })
describeEncryption({ ...xchacha20, create: () => javascriptCipher }, { name: 'without OpenSSL', vectors, golden })

describe('XChaCha20-Poly1305', () => {
  it('is done by OpenSSL wherever it can', () => {
    expect(isOpensslAble()).toBe(true)
    expect(xchacha20.create({})).toBe(opensslCipher)
  })

  it('is byte for byte what @noble/ciphers writes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    const anything = fc.tuple(bytes(32), bytes(24), fc.uint8Array(), fc.uint8Array({ maxLength: 2000, size: 'max' }))
    fc.assert(
      fc.property(anything, ([key, nonce, aad, plain]) => {
        const sealed = new Uint8Array(plain.length + xchacha20.overheadBytes)
        opensslCipher.seal(key, nonce, aad, plain, sealed)
        return Buffer.compare(sealed, xchacha20poly1305(key, nonce, aad).encrypt(plain)) === 0
      }),
      { numRuns: 500 },
    )
  })

  it.each([
    { name: 'OpenSSL', cipher: opensslCipher },
    { name: '@noble/ciphers', cipher: javascriptCipher },
  ])('refuses keys and nonces of other lengths with $name', ({ cipher }) => {
    const nothing = new Uint8Array(0)
    for (const [keyBytes, nonceBytes] of [
      [31, 24],
      [33, 24],
      [32, 23],
      [32, 25],
    ] as const) {
      const [key, nonce] = [new Uint8Array(keyBytes), new Uint8Array(nonceBytes)]
      expectPortError('config', () => cipher.seal(key, nonce, nothing, nothing, new Uint8Array(16)))
      expectPortError('config', () => cipher.open(key, nonce, nothing, new Uint8Array(16), nothing))
    }
  })
})

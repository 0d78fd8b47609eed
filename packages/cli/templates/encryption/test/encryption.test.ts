import { describeEncryption, expectPortError } from '@bkp/testkit'
import { describe, it } from 'vitest'
import { cipher } from '../src/cipher.js'
import encryption from '../src/index.js'

const text =
  "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it."

describeEncryption(encryption, {
  // What this file holds is sealed to the same bytes for ever.
  golden: new URL('../golden.json', import.meta.url),
  vectors: [
    {
      name: 'RFC 8439, 2.8.2',
      key: '808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f',
      nonce: '070000004041424344454647',
      aad: '50515253c0c1c2c3c4c5c6c7',
      plaintext: Buffer.from(text).toString('hex'),
      sealed:
        'd31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6' +
        '3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36' +
        '92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc' +
        '3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691',
    },
  ],
})

describe('lengths', () => {
  it('are refused when they are others', () => {
    const [key, nonce, none] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
    expectPortError('config', () => cipher.seal(key.subarray(1), nonce, none, none, new Uint8Array(16)))
    expectPortError('config', () => cipher.seal(key, nonce.subarray(1), none, none, new Uint8Array(16)))
    expectPortError('config', () => cipher.seal(key, nonce, none, none, new Uint8Array(15)))
  })
})

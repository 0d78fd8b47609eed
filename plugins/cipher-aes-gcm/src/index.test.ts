import { type Cipher, isPortError } from '@bkp/plugin-api'
import { describeEncryption } from '@bkp/testkit'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import aesGcm from './index.js'
import { loadLibcrypto } from './libcrypto.js'
import { libcryptoCipher } from './libcrypto-cipher.js'
import { nodeCipher } from './node-cipher.js'

// McGrew and Viega, The Galois/Counter Mode of Operation, appendix B.
const key = 'feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'
const nonce = 'cafebabefacedbaddecaf888'
const plaintext =
  'd9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72' +
  '1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39'
const ciphertext =
  '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa' +
  '8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662'

const golden = new URL('../golden.json', import.meta.url)
const vectors = [
  {
    name: 'test case 13 of GCM, nothing',
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    aad: '',
    plaintext: '',
    sealed: '530f8afbc74536b9a963b4f1c4cb738b',
  },
  {
    name: 'test case 14 of GCM, one block',
    key: '00'.repeat(32),
    nonce: '00'.repeat(12),
    aad: '',
    plaintext: '00'.repeat(16),
    sealed: 'cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919',
  },
  {
    name: 'test case 16 of GCM, with aad',
    key,
    nonce,
    aad: 'feedfacedeadbeeffeedfacedeadbeefabaddad2',
    plaintext,
    sealed: `${ciphertext}76fc6ece0f4e1768cddf8853bb2d551b`,
  },
]

describeEncryption(aesGcm, { vectors, golden })

// koffi is installed wherever these tests run; a Node that does not export its OpenSSL has only one lane.
const libcrypto = loadLibcrypto()
const direct: Cipher | undefined = libcrypto === undefined ? undefined : libcryptoCipher(libcrypto)

if (direct !== undefined)
  describeEncryption({ ...aesGcm, create: () => direct }, { vectors, golden, name: 'by libcrypto' })

describe('the two ways to OpenSSL', () => {
  afterEach(() => {
    delete process.env.BKP_NO_KOFFI
  })

  it('are both there in the Node of these tests', () => expect(direct).toBeDefined())

  it('give the same bytes', () => {
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
    fc.assert(
      fc.property(bytes(32), bytes(12), fc.uint8Array(), fc.uint8Array({ maxLength: 5000 }), (k, n, aad, plain) => {
        const sealed = [nodeCipher, direct as Cipher].map((cipher) => {
          const output = new Uint8Array(plain.length + 16)
          cipher.seal(k, n, aad, plain, output)
          return output
        })
        expect(sealed[1]).toEqual(sealed[0])
        const opened = new Uint8Array(plain.length)
        direct?.open(k, n, aad, sealed[0] as Uint8Array, opened)
        expect(opened).toEqual(plain)
      }),
    )
  })

  it.each([
    ['node:crypto', nodeCipher],
    ['libcrypto', direct as Cipher],
  ])('%s refuses keys, nonces and outputs of other lengths', (_, cipher) => {
    const refusal = (action: () => void) => {
      try {
        action()
      } catch (error) {
        return isPortError(error) ? error.code : error
      }
      return 'accepted'
    }
    const [k, n, none] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(0)]
    expect(refusal(() => cipher.seal(k.subarray(1), n, none, none, new Uint8Array(16)))).toBe('config')
    expect(refusal(() => cipher.seal(k, n.subarray(1), none, none, new Uint8Array(16)))).toBe('config')
    expect(refusal(() => cipher.seal(k, n, none, none, new Uint8Array(15)))).toBe('config')
    expect(refusal(() => cipher.open(k, n, none, new Uint8Array(20), new Uint8Array(5)))).toBe('config')
    expect(refusal(() => cipher.open(k, n, none, new Uint8Array(15), none))).toBe('corrupt')
  })

  it('without koffi there is node:crypto', () => {
    process.env.BKP_NO_KOFFI = '1'
    expect(loadLibcrypto()).toBeUndefined()
  })
})

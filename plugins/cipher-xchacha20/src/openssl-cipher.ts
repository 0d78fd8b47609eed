import { createCipheriv, createDecipheriv, getCiphers } from 'node:crypto'
import { type Cipher, PortError } from '@bkp/plugin-api'
import { hchacha } from '@noble/ciphers/chacha.js'
import { checkLengths, tagBytes } from './lengths.js'

const algorithm = 'chacha20-poly1305'
const options = { authTagLength: tagBytes } as const
// The constant of ChaCha20, RFC 8439, section 2.3.
const sigma = words(Buffer.from('expand 32-byte k'))

/** Whether this Node has the bulk cipher; one in FIPS mode does not. */
export function isOpensslAble(): boolean {
  return getCiphers().includes(algorithm)
}

/** The subkey by HChaCha20 of @noble/ciphers, everything else by OpenSSL. */
export const opensslCipher: Cipher = {
  seal(key, nonce, aad, plaintext, output) {
    checkLengths(key, nonce)
    const cipher = createCipheriv(algorithm, subkeyOf(key, nonce), shortNonceOf(nonce), options)
    cipher.setAAD(aad, { plaintextLength: plaintext.length })
    output.set(cipher.update(plaintext))
    cipher.final()
    output.set(cipher.getAuthTag(), plaintext.length)
  },

  open(key, nonce, aad, sealed, output) {
    checkLengths(key, nonce)
    const end = sealed.length - tagBytes
    if (end < 0) throw new PortError('corrupt', `${sealed.length} sealed bytes are too few to hold a tag`)
    const decipher = createDecipheriv(algorithm, subkeyOf(key, nonce), shortNonceOf(nonce), options)
    decipher.setAAD(aad, { plaintextLength: end })
    decipher.setAuthTag(sealed.subarray(end))
    const plain = decipher.update(sealed.subarray(0, end))
    try {
      decipher.final()
    } catch (cause) {
      plain.fill(0)
      output.fill(0)
      throw new PortError('corrupt', 'Sealed bytes do not authenticate', { cause })
    }
    output.set(plain)
  },
}

function subkeyOf(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const derived = new Uint32Array(8)
  hchacha(sigma, words(key), words(nonce.subarray(0, 16)), derived)
  return new Uint8Array(derived.buffer)
}

// draft-irtf-cfrg-xchacha-03, section 2.3: four zero bytes, then the last eight of the nonce.
function shortNonceOf(nonce: Uint8Array): Uint8Array {
  const short = new Uint8Array(12)
  short.set(nonce.subarray(16), 4)
  return short
}

// Copied, since the bytes may begin at any offset.
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer)
}

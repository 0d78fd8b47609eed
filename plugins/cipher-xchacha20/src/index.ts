import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type EncryptionModule, PortError } from '@bkp/plugin-api'
import { hchacha } from '@noble/ciphers/chacha.js'

const tagBytes = 16
// "expand 32-byte k", the constant of ChaCha20.
const sigma = new Uint32Array(new Uint8Array(Buffer.from('expand 32-byte k')).buffer)

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): the subkey by HChaCha20 of @noble/ciphers, the bulk by OpenSSL. Constant
 * time also on processors without AES instructions.
 */
const xchacha20: EncryptionModule = {
  id: 'xchacha20-poly1305',
  nonceBytes: 24,
  overheadBytes: tagBytes,
  create: () => ({
    seal(key, nonce, aad, plaintext, output) {
      const cipher = createCipheriv('chacha20-poly1305', subkey(key, nonce), shortNonce(nonce), {
        authTagLength: tagBytes,
      })
      cipher.setAAD(aad, { plaintextLength: plaintext.length })
      output.set(cipher.update(plaintext))
      cipher.final()
      output.set(cipher.getAuthTag(), plaintext.length)
    },
    open(key, nonce, aad, sealed, output) {
      const end = sealed.length - tagBytes
      if (end < 0) throw new PortError('corrupt', `${sealed.length} sealed bytes are too few to hold a tag`)
      const decipher = createDecipheriv('chacha20-poly1305', subkey(key, nonce), shortNonce(nonce), {
        authTagLength: tagBytes,
      })
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
  }),
}

export default xchacha20

function subkey(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const derived = new Uint32Array(8)
  hchacha(sigma, words(key), words(nonce.subarray(0, 16)), derived)
  return new Uint8Array(derived.buffer)
}

function shortNonce(nonce: Uint8Array): Uint8Array {
  const short = new Uint8Array(12)
  short.set(nonce.subarray(16), 4)
  return short
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes).buffer)
}

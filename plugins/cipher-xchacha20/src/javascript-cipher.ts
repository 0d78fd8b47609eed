import { type Cipher, PortError } from '@bkp/plugin-api'
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { checkLengths, tagBytes } from './lengths.js'

/** @noble/ciphers alone: the reference, and what runs where OpenSSL lacks ChaCha20-Poly1305, at a tenth of the speed. */
export const javascriptCipher: Cipher = {
  seal(key, nonce, aad, plaintext, output) {
    checkLengths(key, nonce)
    output.set(xchacha20poly1305(key, nonce, aad).encrypt(plaintext))
  },

  open(key, nonce, aad, sealed, output) {
    checkLengths(key, nonce)
    if (sealed.length < tagBytes)
      throw new PortError('corrupt', `${sealed.length} sealed bytes are too few to hold a tag`)
    let plain: Uint8Array
    try {
      // It compares the tag before it decrypts anything.
      plain = xchacha20poly1305(key, nonce, aad).decrypt(sealed)
    } catch (cause) {
      output.fill(0)
      throw new PortError('corrupt', 'Sealed bytes do not authenticate', { cause })
    }
    output.set(plain)
  },
}

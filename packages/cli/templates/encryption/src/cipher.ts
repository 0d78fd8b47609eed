import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type Cipher, PortError } from '@bkp/plugin-api'

const algorithm = 'chacha20-poly1305'
const keyBytes = 32
export const nonceBytes = 12
export const tagBytes = 16

/** ChaCha20-Poly1305 (RFC 8439) as Node has it: ciphertext, then the tag. Holds no state: each call stands alone. */
export const cipher: Cipher = {
  seal(key, nonce, aad, plaintext, output) {
    checkLengths(key, nonce, plaintext.length, output.length)
    const sealing = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    sealing.setAAD(aad, { plaintextLength: plaintext.length })
    output.set(sealing.update(plaintext), 0)
    sealing.final()
    output.set(sealing.getAuthTag(), plaintext.length)
  },

  open(key, nonce, aad, sealed, output) {
    const length = sealed.length - tagBytes
    if (length < 0) throw new PortError('corrupt', 'Sealed bytes are shorter than their tag')
    checkLengths(key, nonce, output.length, sealed.length)
    const opening = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
    opening.setAAD(aad, { plaintextLength: length })
    opening.setAuthTag(sealed.subarray(length))
    const plain = opening.update(sealed.subarray(0, length))
    try {
      opening.final()
    } catch (cause) {
      // Nobody may see what was not authenticated.
      plain.fill(0)
      output.fill(0)
      throw new PortError('corrupt', 'Sealed bytes were changed, or belong elsewhere', { cause })
    }
    output.set(plain)
  },
}

function checkLengths(key: Uint8Array, nonce: Uint8Array, plainLength: number, sealedLength: number): void {
  if (key.length !== keyBytes) throw new PortError('config', `The key has ${key.length} bytes instead of ${keyBytes}`)
  if (nonce.length !== nonceBytes)
    throw new PortError('config', `The nonce has ${nonce.length} bytes instead of ${nonceBytes}`)
  if (plainLength + tagBytes !== sealedLength) throw new PortError('config', 'The output has the wrong length')
}

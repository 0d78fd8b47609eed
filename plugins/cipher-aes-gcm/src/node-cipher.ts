import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type Cipher, PortError } from '@bkp/plugin-api'
import { checkOpen, checkSeal } from './lengths.js'

const algorithm = 'aes-256-gcm'

/** By node:crypto: works everywhere; every call makes objects and copies the data once more. */
export const nodeCipher: Cipher = {
  seal(key, nonce, aad, plaintext, output) {
    checkSeal(key, nonce, plaintext, output)
    const cipher = createCipheriv(algorithm, key, nonce)
    cipher.setAAD(aad)
    output.set(cipher.update(plaintext))
    cipher.final()
    output.set(cipher.getAuthTag(), plaintext.length)
  },

  open(key, nonce, aad, sealed, output) {
    checkOpen(key, nonce, sealed, output)
    const decipher = createDecipheriv(algorithm, key, nonce)
    decipher.setAAD(aad)
    decipher.setAuthTag(sealed.subarray(output.length))
    const plain = decipher.update(sealed.subarray(0, output.length))
    try {
      decipher.final()
    } catch (cause) {
      plain.fill(0)
      output.fill(0)
      throw unauthentic(cause)
    }
    output.set(plain)
  },
}

export function unauthentic(cause?: unknown): PortError {
  return new PortError('corrupt', 'Sealed bytes do not authenticate', cause === undefined ? {} : { cause })
}

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { PortError } from '@bkp/plugin-api'
import type { CipherInUse } from '../sealed-object.js'

const tagBytes = 16

/** AES-256-GCM as the plugin has it, for tests of core, which may not import plugins. */
export const aesGcm: CipherInUse = {
  module: { id: 'aes-256-gcm', nonceBytes: 12, overheadBytes: tagBytes },
  cipher: {
    seal(key, nonce, aad, plaintext, output) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
      output.set(cipher.update(plaintext))
      cipher.final()
      output.set(cipher.getAuthTag(), plaintext.length)
    },
    open(key, nonce, aad, sealed, output) {
      const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(aad)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const plain = decipher.update(sealed.subarray(0, -tagBytes))
      try {
        decipher.final()
      } catch (cause) {
        throw new PortError('corrupt', 'These bytes do not authenticate', { cause })
      }
      output.set(plain)
    },
  },
}

/** Hides and checks nothing, so that damage reaches the parsers behind the cipher. */
export const transparent: CipherInUse = {
  module: { id: 'transparent', nonceBytes: 12, overheadBytes: tagBytes },
  cipher: {
    seal(_key, _nonce, _aad, plaintext, output) {
      output.set(plaintext)
      output.fill(0, plaintext.length)
    },
    open(_key, _nonce, _aad, sealed, output) {
      output.set(sealed.subarray(0, -tagBytes))
    },
  },
}

import { createCipheriv, createDecipheriv } from 'node:crypto'
import { type EncryptionModule, PortError } from '@bkp/plugin-api'

const tagBytes = 16

/** AES-256-GCM (NIST SP 800-38D) by OpenSSL, with hardware support where the processor has it. */
const aesGcm: EncryptionModule = {
  id: 'aes-256-gcm',
  nonceBytes: 12,
  overheadBytes: tagBytes,
  create: () => ({
    seal(key, nonce, aad, plaintext, output) {
      const cipher = createCipheriv('aes-256-gcm', key, nonce)
      cipher.setAAD(aad)
      output.set(cipher.update(plaintext))
      cipher.final()
      output.set(cipher.getAuthTag(), plaintext.length)
    },
    open(key, nonce, aad, sealed, output) {
      const end = sealed.length - tagBytes
      if (end < 0) throw new PortError('corrupt', `${sealed.length} sealed bytes are too few to hold a tag`)
      const decipher = createDecipheriv('aes-256-gcm', key, nonce)
      decipher.setAAD(aad)
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

export default aesGcm

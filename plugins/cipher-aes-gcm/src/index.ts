import { isMainThread } from 'node:worker_threads'
import type { EncryptionModule } from '@bkp/plugin-api'
import { nonceBytes, tagBytes } from './lengths.js'
import { loadLibcrypto } from './libcrypto.js'
import { libcryptoCipher } from './libcrypto-cipher.js'
import { nodeCipher } from './node-cipher.js'

/** AES-256-GCM (NIST SP 800-38D) by OpenSSL, with hardware support where the processor has it. */
const aesGcm: EncryptionModule = {
  id: 'aes-256-gcm',
  nonceBytes,
  overheadBytes: tagBytes,
  create() {
    // The main thread seals and opens a handful of small objects: loading koffi would take longer.
    const libcrypto = isMainThread ? undefined : loadLibcrypto()
    return libcrypto === undefined ? nodeCipher : libcryptoCipher(libcrypto)
  },
}

export default aesGcm

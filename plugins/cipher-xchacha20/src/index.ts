import type { EncryptionModule } from '@bkp/plugin-api'
import { javascriptCipher } from './javascript-cipher.js'
import { nonceBytes, tagBytes } from './lengths.js'
import { isOpensslAble, opensslCipher } from './openssl-cipher.js'

/** XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03): constant time also on processors without AES instructions. */
const xchacha20: EncryptionModule = {
  id: 'xchacha20-poly1305',
  nonceBytes,
  overheadBytes: tagBytes,
  create: () => (isOpensslAble() ? opensslCipher : javascriptCipher),
}

export default xchacha20

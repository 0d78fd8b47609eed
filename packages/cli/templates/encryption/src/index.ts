import type { EncryptionModule } from '@bkp/plugin-api'
import { cipher, nonceBytes, tagBytes } from './cipher.js'

// Imported in worker threads. The id is written into repositories and means this cipher for ever.
const encryption: EncryptionModule = { id: '{{id}}', nonceBytes, overheadBytes: tagBytes, create: () => cipher }

export default encryption

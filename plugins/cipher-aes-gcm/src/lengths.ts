import { PortError } from '@bkp/plugin-api'

export const keyBytes = 32
export const nonceBytes = 12
export const tagBytes = 16

/**
 * Everything that is handed to a library as bare memory has to have its length.
 * @throws PortError `config`
 */
export function checkSeal(key: Uint8Array, nonce: Uint8Array, plaintext: Uint8Array, output: Uint8Array): void {
  checkKey(key, nonce)
  if (output.length !== plaintext.length + tagBytes) throw wrongOutput(output.length, plaintext.length + tagBytes)
}

/** @throws PortError `corrupt` for what is too short to hold a tag, `config` */
export function checkOpen(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array, output: Uint8Array): void {
  checkKey(key, nonce)
  if (sealed.length < tagBytes) {
    throw new PortError('corrupt', `${sealed.length} sealed bytes are too few to hold a tag`)
  }
  if (output.length !== sealed.length - tagBytes) throw wrongOutput(output.length, sealed.length - tagBytes)
}

function checkKey(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length === keyBytes && nonce.length === nonceBytes) return
  throw new PortError(
    'config',
    `AES-256-GCM takes ${keyBytes} bytes of key and ${nonceBytes} of nonce, not ${key.length} and ${nonce.length}`,
  )
}

function wrongOutput(found: number, wanted: number): PortError {
  return new PortError('config', `The output has ${found} bytes instead of ${wanted}`)
}

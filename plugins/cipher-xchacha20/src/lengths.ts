import { PortError } from '@bkp/plugin-api'

export const keyBytes = 32
export const nonceBytes = 24
export const tagBytes = 16

/** Neither library that is used here looks at both. @throws PortError `config` */
export function checkLengths(key: Uint8Array, nonce: Uint8Array): void {
  if (key.length === keyBytes && nonce.length === nonceBytes) return
  const found = `${key.length} and ${nonce.length}`
  throw new PortError(
    'config',
    `XChaCha20-Poly1305 takes ${keyBytes} bytes of key and ${nonceBytes} of nonce, not ${found}`,
  )
}

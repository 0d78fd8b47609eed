import { createHash, randomBytes } from 'node:crypto'
import { Secret } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
/** Entropy of a recovery code: 160 bits. */
export const recoveryBytes = 20
const dataSymbols = 32
const checkSymbols = 4

export function generateRecoveryCode(): Secret {
  return new Secret(formatRecoveryCode(randomBytes(recoveryBytes)))
}

export function formatRecoveryCode(bytes: Uint8Array): string {
  const symbols = toSymbols(bytes, dataSymbols) + checkOf(bytes)
  return (symbols.match(/.{4}/g) as string[]).join('-')
}

/**
 * Reads a code as people type it: any case, blanks and hyphens anywhere, O for 0, I and L for 1.
 * @throws BkpError `usage`; the message never repeats the code
 */
export function parseRecoveryCode(code: string): Uint8Array {
  const symbols = code.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  if (symbols.length !== dataSymbols + checkSymbols) {
    throw mistyped(`it has ${symbols.length} characters instead of ${dataSymbols + checkSymbols}`)
  }
  const values = [...symbols].map((symbol) => alphabet.indexOf(symbol))
  const wrong = values.indexOf(-1)
  if (wrong >= 0) throw mistyped(`character ${wrong + 1} is not one that codes use`)
  const bytes = new Uint8Array(recoveryBytes)
  for (let bit = 0; bit < recoveryBytes * 8; bit++) {
    const value = values[Math.floor(bit / 5)] as number
    if ((value >> (4 - (bit % 5))) & 1) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (0x80 >> (bit & 7))
  }
  if (checkOf(bytes) !== symbols.slice(dataSymbols)) throw mistyped('its check characters do not fit')
  return bytes
}

function toSymbols(bytes: Uint8Array, count: number): string {
  let symbols = ''
  for (let n = 0; n < count; n++) {
    let value = 0
    for (let bit = n * 5; bit < n * 5 + 5; bit++)
      value = (value << 1) | (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1)
    symbols += alphabet[value]
  }
  return symbols
}

function checkOf(bytes: Uint8Array): string {
  return toSymbols(createHash('sha256').update('bkp/v1/recovery-check').update(bytes).digest(), checkSymbols)
}

function mistyped(reason: string): BkpError {
  return new BkpError('usage', `This is not a recovery code: ${reason}`, {
    hint: 'A recovery code is nine groups of four letters and digits, printed once by bkp init; check it for a typing error',
  })
}

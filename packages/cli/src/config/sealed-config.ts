import type { Secret } from '@bkp/plugin-api'
import { UsageError } from '../errors/cli-error.js'

const armorLine = '-----BEGIN AGE ENCRYPTED FILE-----'
const binaryLine = 'age-encryption.org/v1\n'

/** Encrypts a text under a passphrase, as text that the standard `age` tool opens too. */
export async function sealText(text: string, passphrase: Secret): Promise<string> {
  const { armor, Encrypter } = await import('age-encryption')
  const encrypter = new Encrypter()
  encrypter.setPassphrase(passphrase.reveal())
  return armor.encode(await encrypter.encrypt(text))
}

export function isSealed(data: Uint8Array): boolean {
  const start = Buffer.from(data.subarray(0, 200)).toString('latin1').trimStart()
  return start.startsWith(armorLine) || start.startsWith(binaryLine)
}

/** @throws UsageError when the passphrase is wrong or the file is damaged */
export async function openSealed(data: Uint8Array, passphrase: Secret): Promise<string> {
  const { armor, Decrypter } = await import('age-encryption')
  const text = Buffer.from(data).toString('latin1').trim()
  const decrypter = new Decrypter()
  decrypter.addPassphrase(passphrase.reveal())
  try {
    return await decrypter.decrypt(text.startsWith(armorLine) ? armor.decode(text) : data, 'text')
  } catch {
    throw new UsageError(
      'The file does not open with this passphrase, or it is damaged',
      'It is the passphrase that was given to bkp config export',
    )
  }
}

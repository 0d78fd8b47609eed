import { timingSafeEqual } from 'node:crypto'
import { Damage, damaged, hex, json, Unsupported } from './bytes.mjs'
import { argon2id, hkdf, hmacSha256, openAesGcm, sha256 } from './crypto.mjs'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const FEATURE = /^[a-z0-9.-]{1,64}$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/

/** Section 2. The MAC is checked by `checkDescriptor`, when the keys are open. */
export function parseDescriptor(bytes) {
  const descriptor = json(bytes, 'bkp.json')
  if (descriptor.magic !== 'bkp') throw new Damage('bkp.json: this is no bkp repository')
  if (descriptor.format !== 1) throw new Unsupported(`format ${descriptor.format}`)
  for (const wish of ['read', 'write', 'check']) {
    const names = descriptor.features?.[wish]
    if (!Array.isArray(names) || !names.every((name) => FEATURE.test(name))) damaged('bkp.json', `features.${wish}`)
  }
  // This reader knows no features at all, and never writes.
  if (descriptor.features.read.length > 0) throw new Unsupported(`features ${descriptor.features.read}`)
  if (!TIME.test(descriptor.created)) damaged('bkp.json', 'created is no time')
  return { ...descriptor, id: hex(descriptor.repository, 16, 'bkp.json') }
}

export function checkDescriptor(descriptor, masterKey) {
  const { repository, created, features, mac, id } = descriptor
  const lists = [features.read, features.write, features.check].map((names) => `${names.join(',')}\n`)
  const text = `bkp-descriptor\n1\n${repository}\n${created}\n${lists.join('')}`
  const expected = hmacSha256(subkey(masterKey, id, 'descriptor'), text)
  if (!timingSafeEqual(expected, hex(mac, 32, 'bkp.json'))) damaged('bkp.json', 'its mac is wrong')
}

export const subkey = (masterKey, repositoryId, purpose) => hkdf(masterKey, repositoryId, `bkp/v1/${purpose}`)

/** The 20 bytes of a recovery code, or undefined if `text` is none. */
export function parseRecoveryCode(text) {
  const symbols = text.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
  if (symbols.length !== 36) return undefined
  let bits = 0n
  for (const symbol of symbols) {
    const value = ALPHABET.indexOf(symbol)
    if (value < 0) return undefined
    bits = (bits << 5n) | BigInt(value)
  }
  const code = Buffer.from((bits >> 20n).toString(16).padStart(40, '0'), 'hex')
  const check = sha256('bkp/v1/recovery-check', code)
  const first20Bits = (BigInt(check.readUInt32BE()) >> 12n) & 0xfffffn
  return (bits & 0xfffffn) === first20Bits ? code : undefined
}

const count = (value, least, most, where) => {
  if (!Number.isInteger(value) || value < least || value > most) damaged(where, `kdf: ${value} is out of range`)
}

async function slotKey(slot, secret, where) {
  const { kdf } = slot
  if (slot.kind === 'recovery') {
    const code = parseRecoveryCode(secret)
    if (code === undefined) return undefined
    if (kdf?.name !== 'hkdf-sha256') damaged(where, `kdf ${kdf?.name}`)
    return hkdf(code, hex(kdf.salt, 32, where), 'bkp/v1/recovery')
  }
  if (kdf?.name !== 'argon2id') damaged(where, `kdf ${kdf?.name}`)
  count(kdf.lanes, 1, 16, where)
  count(kdf.passes, 1, 64, where)
  count(kdf.memoryKiB, 8 * kdf.lanes, 4_194_304, where)
  return argon2id(Buffer.from(secret.normalize('NFC'), 'utf8'), hex(kdf.salt, 16, where), kdf)
}

/** Section 3: the master key out of the slot, or undefined when `secret` does not open it. */
async function openSlot(slot, repositoryId, secret, where) {
  const key = await slotKey(slot, secret, where)
  if (key === undefined) return undefined
  const aad = Buffer.concat([Buffer.from('bkp/v1/slot'), repositoryId, Buffer.from(slot.kind)])
  const wrapped = hex(slot.wrapped, 48, where)
  try {
    return openAesGcm(key, hex(slot.nonce, 12, where), aad, wrapped, where)
  } catch (error) {
    if (error instanceof Damage) return undefined
    throw error
  }
}

/** `secret` is a passphrase or a recovery code; slots are `{ key, bytes }`. Cheap slots are tried first. */
export async function openMasterKey(slots, descriptor, secret) {
  const known = []
  for (const { key, bytes } of slots) {
    const slot = json(bytes, key)
    if (slot.slot !== 1 || !['passphrase', 'recovery'].includes(slot.kind)) continue
    if (slot.repository !== descriptor.repository) damaged(key, 'belongs to another repository')
    known.push({ key, slot })
  }
  known.sort((a, b) => Number(b.slot.kind === 'recovery') - Number(a.slot.kind === 'recovery'))
  for (const { key, slot } of known) {
    const masterKey = await openSlot(slot, descriptor.id, secret, key)
    if (masterKey !== undefined) return masterKey
  }
  throw new Error('No key slot opens with this passphrase or recovery code')
}

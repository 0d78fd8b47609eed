import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'
import { damaged } from '../errors/index.js'
import { type Argon2Cost, argon2id, defaultArgon2Cost } from './argon2.js'
import { fromHex, toHex } from './ids.js'
import { isShortText, isTimestamp, parseJsonObject } from './json.js'
import { maxArgon2Lanes, maxArgon2MemoryKiB, maxArgon2Passes, maxSmallObjectBytes } from './limits.js'

export type SlotKind = 'passphrase' | 'recovery'

type Kdf =
  | ({ readonly name: 'argon2id'; readonly salt: Uint8Array } & Argon2Cost)
  | { readonly name: 'hkdf-sha256'; readonly salt: Uint8Array }

/** A key slot of a kind that this version knows. */
export interface KeySlot {
  readonly kind: SlotKind
  readonly repository: string
  readonly label: string
  readonly created: string
  readonly kdf: Kdf
  readonly nonce: Uint8Array
  readonly wrapped: Uint8Array
}

export interface NewSlot {
  readonly repository: string
  readonly masterKey: Uint8Array
  readonly created: string
}

export async function createPassphraseSlot(
  passphrase: string,
  slot: NewSlot,
  cost: Argon2Cost = defaultArgon2Cost,
): Promise<Uint8Array> {
  const kdf: Kdf = { name: 'argon2id', ...cost, salt: randomBytes(16) }
  return encode('passphrase', slot, kdf, await slotKey({ kind: 'passphrase', kdf }, secretOfPassphrase(passphrase)))
}

/** @param code the 20 bytes of the recovery code */
export async function createRecoverySlot(code: Uint8Array, slot: NewSlot): Promise<Uint8Array> {
  const kdf: Kdf = { name: 'hkdf-sha256', salt: randomBytes(32) }
  return encode('recovery', slot, kdf, await slotKey({ kind: 'recovery', kdf }, code))
}

/**
 * @returns undefined for a slot of a kind that this version does not know
 * @throws BkpError `damaged`
 */
export function parseSlot(bytes: Uint8Array): KeySlot | undefined {
  if (bytes.length > maxSmallObjectBytes) throw damaged('A key slot is larger than it can be')
  const json = parseJsonObject(bytes, 'A key slot')
  const { kind, repository, label, created } = json
  if (typeof json.slot !== 'number' || typeof kind !== 'string')
    throw damaged('A key slot is damaged: it has no version or no kind')
  if (json.slot !== 1 || (kind !== 'passphrase' && kind !== 'recovery')) return undefined
  const kdf = parseKdf(json.kdf as Record<string, unknown> | null | undefined, kind)
  const nonce = fromHex(json.nonce, 12)
  const wrapped = fromHex(json.wrapped, 48)
  if (
    fromHex(repository, 16) === undefined ||
    nonce === undefined ||
    wrapped === undefined ||
    kdf === undefined ||
    !isShortText(label) ||
    !isTimestamp(created)
  ) {
    throw damaged('A key slot is damaged: a member is missing or has the wrong form')
  }
  return { kind, repository: repository as string, label, created, kdf, nonce, wrapped }
}

export function secretOfPassphrase(passphrase: string): Uint8Array {
  return Buffer.from(passphrase.normalize('NFC'), 'utf8')
}

/**
 * Tries a secret on a slot.
 * @returns the master key, or undefined when the secret is not the one
 */
export async function openSlot(slot: KeySlot, secret: Uint8Array): Promise<Uint8Array | undefined> {
  const unwrap = createDecipheriv('aes-256-gcm', await slotKey(slot, secret), slot.nonce)
  unwrap.setAAD(aadOf(slot.repository, slot.kind))
  unwrap.setAuthTag(slot.wrapped.subarray(32))
  const key = unwrap.update(slot.wrapped.subarray(0, 32))
  try {
    unwrap.final()
  } catch {
    // The only way in which GCM fails: another secret, or a slot that was tampered with.
    return undefined
  }
  return new Uint8Array(key)
}

async function slotKey(slot: Pick<KeySlot, 'kind' | 'kdf'>, secret: Uint8Array): Promise<Uint8Array> {
  if (slot.kdf.name === 'argon2id') return argon2id(secret, slot.kdf.salt, slot.kdf)
  return new Uint8Array(hkdfSync('sha256', secret, slot.kdf.salt, 'bkp/v1/recovery', 32))
}

function encode(kind: SlotKind, slot: NewSlot, kdf: Kdf, key: Uint8Array): Uint8Array {
  const nonce = randomBytes(12)
  const wrap = createCipheriv('aes-256-gcm', key, nonce)
  wrap.setAAD(aadOf(slot.repository, kind))
  const wrapped = Buffer.concat([wrap.update(slot.masterKey), wrap.final(), wrap.getAuthTag()])
  const json = {
    slot: 1,
    repository: slot.repository,
    kind,
    created: slot.created,
    label: kind === 'passphrase' ? 'passphrase' : 'recovery code',
    kdf: { ...kdf, salt: toHex(kdf.salt) },
    nonce: toHex(nonce),
    wrapped: toHex(wrapped),
  }
  return Buffer.from(`${JSON.stringify(json, undefined, 2)}\n`)
}

function parseKdf(kdf: Record<string, unknown> | null | undefined, kind: SlotKind): Kdf | undefined {
  if (typeof kdf !== 'object' || kdf === null) return undefined
  if (kind === 'recovery') {
    const salt = fromHex(kdf.salt, 32)
    return kdf.name === 'hkdf-sha256' && salt !== undefined ? { name: 'hkdf-sha256', salt } : undefined
  }
  const salt = fromHex(kdf.salt, 16)
  const { memoryKiB, passes, lanes } = kdf
  const isLegal =
    isWithin(lanes, 1, maxArgon2Lanes) &&
    isWithin(passes, 1, maxArgon2Passes) &&
    isWithin(memoryKiB, 8 * (lanes as number), maxArgon2MemoryKiB)
  if (kdf.name !== 'argon2id' || salt === undefined || !isLegal) return undefined
  return { name: 'argon2id', salt, memoryKiB: memoryKiB as number, passes: passes as number, lanes: lanes as number }
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most
}

function aadOf(repository: string, kind: SlotKind): Uint8Array {
  return Buffer.concat([Buffer.from('bkp/v1/slot'), Buffer.from(repository, 'hex'), Buffer.from(kind)])
}

import { type CallOptions, isPortError, type Storage } from '@bkp/plugin-api'
import { BkpError, damaged, isBkpError } from '../errors/index.js'
import { objectNameOf, parseObjectKey, slotKey } from '../format/ids.js'
import { openSlot, parseSlot, secretOfPassphrase } from '../format/key-slot.js'
import { parseRecoveryCode } from '../format/recovery-code.js'
import type { UnlockSecret } from './opened-repository.js'
import type { RememberedSlot } from './remembered-slot.js'

/** A key slot as it lies in a storage, and the one attempt to open it with the secret of this run. */
interface ReadSlot {
  readonly bytes: Uint8Array
  readonly repository: string
  readonly kind: UnlockSecret['kind']
  /** Undefined with another secret. */
  open(): Promise<Uint8Array | undefined>
}

/** What a storage has of key slots, by their keys; each is read when it is asked for, or before. */
export type ListedSlots = ReadonlyMap<string, () => Promise<Uint8Array>>

export interface UnlockedKey {
  readonly masterKey: Uint8Array
  /** The slot that had it. */
  readonly slot: Uint8Array
}

/**
 * Opens key slots with one secret. To derive a key takes as long as several requests over a network, so it begins with the
 * slot that this machine remembers while the storage is still being opened. What counts is the slots that the storage lists:
 * a remembered one that is not among them opens nothing.
 */
export class KeySlots {
  readonly #secret: UnlockSecret
  readonly #remembered: Promise<{ readonly key: string; readonly slot: ReadSlot } | undefined>

  constructor(secret: UnlockSecret, remembered: Pick<RememberedSlot, 'read'>) {
    this.#secret = secret
    this.#remembered = this.#tryRemembered(remembered)
    // Told to whoever asks.
    this.#remembered.catch(() => undefined)
  }

  /** All at once: where they are far away, waiting for each takes longer than reading it. */
  async list(storage: Storage, options: CallOptions = {}): Promise<ListedSlots> {
    const keys: string[] = []
    for await (const { key } of storage.list('keys/', options)) if (parseObjectKey(key) !== undefined) keys.push(key)
    const remembered = await this.#remembered
    const isEnough = remembered !== undefined && keys.includes(remembered.key)
    const slots = new Map<string, () => Promise<Uint8Array>>()
    if (isEnough) slots.set(remembered.key, async () => remembered.slot.bytes)
    for (const key of keys) {
      if (slots.has(key)) continue
      const reading = isEnough ? undefined : storage.get(key, options)
      // One that nobody comes to wait for fails nobody.
      reading?.catch(() => undefined)
      slots.set(key, () => reading ?? storage.get(key))
    }
    return slots
  }

  /**
   * @param repository whose slots they have to be
   * @param url for messages
   * @throws BkpError `wrong-passphrase`, `damaged`
   */
  async unlock(listed: ListedSlots, repository: string, url: string): Promise<UnlockedKey> {
    const { kind } = this.#secret
    const remembered = await this.#remembered
    let tried = 0
    const broken: BkpError[] = []
    for (const [key, read] of listed) {
      try {
        const slot = key === remembered?.key ? remembered.slot : this.#parse(await read())
        if (slot === undefined) continue
        if (slot.repository !== repository)
          throw damaged(`The key slot ${key} belongs to the repository ${slot.repository}`)
        if (slot.kind !== kind) continue
        tried++
        const masterKey = await slot.open()
        if (masterKey !== undefined) return { masterKey, slot: slot.bytes }
      } catch (error) {
        if (isBkpError(error, 'damaged')) broken.push(error)
        else if (isPortError(error, 'corrupt'))
          broken.push(damaged(`The key slot ${key} is damaged: ${error.message}`, error))
        else throw error
      }
    }
    // With no sound slot to try, the secret may well be right.
    if (tried === 0) throw broken[0] ?? damaged(`The repository at ${url} has no key slot for a ${nameOf(kind)}`)
    throw wrongSecret(kind, url)
  }

  async #tryRemembered(remembered: Pick<RememberedSlot, 'read'>): Promise<{ key: string; slot: ReadSlot } | undefined> {
    try {
      const bytes = await remembered.read()
      const slot = bytes === undefined ? undefined : this.#parse(bytes)
      if (bytes === undefined || slot?.kind !== this.#secret.kind) return undefined
      // What it fails with is told to whoever asks for it.
      slot.open().catch(() => undefined)
      return { key: slotKey(objectNameOf(bytes)), slot }
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      return undefined
    }
  }

  #parse(bytes: Uint8Array): ReadSlot | undefined {
    const slot = parseSlot(bytes)
    if (slot === undefined) return undefined
    let opening: Promise<Uint8Array | undefined> | undefined
    return {
      bytes,
      repository: slot.repository,
      kind: slot.kind === 'recovery' ? 'recovery-code' : slot.kind,
      open: () => (opening ??= (async () => openSlot(slot, secretBytes(this.#secret)))()),
    }
  }
}

function secretBytes(secret: UnlockSecret): Uint8Array {
  return secret.kind === 'passphrase'
    ? secretOfPassphrase(secret.passphrase.reveal())
    : parseRecoveryCode(secret.code.reveal())
}

function nameOf(kind: UnlockSecret['kind']): string {
  return kind === 'passphrase' ? 'passphrase' : 'recovery code'
}

function wrongSecret(kind: UnlockSecret['kind'], url: string): BkpError {
  return new BkpError('wrong-passphrase', `No key slot of ${url} opens with this ${nameOf(kind)}`, {
    hint:
      kind === 'passphrase'
        ? 'Check the passphrase for a typing error; if it is lost, use the recovery code that bkp init printed: --recovery-code'
        : 'Check that the code belongs to this repository',
  })
}

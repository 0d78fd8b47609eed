import type { Secret, Storage } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'
import { BkpError, damaged, isBkpError } from '../errors/index.js'
import {
  createDescriptor,
  type Descriptor,
  encodeDescriptor,
  parseDescriptor,
  requireFeatures,
  verifyDescriptor,
} from '../format/descriptor.js'
import { descriptorKey, objectNameOf, parseObjectKey, slotKey } from '../format/ids.js'
import {
  createPassphraseSlot,
  createRecoverySlot,
  openSlot,
  parseSlot,
  secretOfPassphrase,
} from '../format/key-slot.js'
import { generateRecoveryCode, parseRecoveryCode } from '../format/recovery-code.js'
import { deriveKeys, type RepositoryKeys } from '../format/subkeys.js'

/** A repository whose keys are open. */
export interface OpenedRepository {
  readonly url: string
  readonly storage: Storage
  readonly descriptor: Descriptor
  readonly id: string
  readonly keys: RepositoryKeys
}

export type UnlockSecret =
  | { readonly kind: 'passphrase'; readonly passphrase: Secret }
  | { readonly kind: 'recovery-code'; readonly code: Secret }

export interface CreationParts {
  readonly randomBytes: (count: number) => Uint8Array
  readonly now: () => Date
}

/** A repository that is nowhere yet: the same for all of its destinations. */
export interface NewRepository {
  readonly id: string
  /** It is nowhere else. */
  readonly recoveryCode: Secret
  readonly slots: readonly Uint8Array[]
  readonly descriptor: Uint8Array
}

export async function makeRepository(parts: CreationParts, passphrase: Secret): Promise<NewRepository> {
  const repository = Buffer.from(parts.randomBytes(16)).toString('hex')
  const masterKey = parts.randomBytes(32)
  const created = parts.now().toISOString()
  const recoveryCode = generateRecoveryCode()
  const slot = { repository, masterKey, created }
  const slots = [
    await createPassphraseSlot(passphrase.reveal(), slot),
    await createRecoverySlot(parseRecoveryCode(recoveryCode.reveal()), slot),
  ]
  const descriptor = createDescriptor(repository, created, deriveKeys(masterKey, repository).descriptor)
  return { id: repository, recoveryCode, slots, descriptor: encodeDescriptor(descriptor) }
}

/** @throws BkpError `repository-exists` */
export async function refuseRepository(url: string, storage: Storage): Promise<void> {
  if (await exists(storage, descriptorKey)) throw repositoryExists(url)
}

/**
 * Stores a new repository: key slots first, the descriptor last, so that what looks like a repository can be opened.
 * @throws BkpError `repository-exists`
 */
export async function storeRepository(url: string, storage: Storage, made: NewRepository): Promise<void> {
  for (const bytes of made.slots) await storage.put(slotKey(objectNameOf(bytes)), bytes)
  try {
    await storage.put(descriptorKey, made.descriptor, { ifAbsent: true })
  } catch (cause) {
    if (isPortError(cause, 'already-exists')) throw repositoryExists(url)
    throw cause
  }
}

/** A repository as it is found at a place. */
export interface LockedRepository {
  readonly url: string
  readonly storage: Storage
  readonly descriptor: Descriptor
}

/** @throws BkpError `wrong-passphrase`, `unsupported`, `damaged` */
export async function openRepository(locked: LockedRepository, secret: UnlockSecret): Promise<OpenedRepository> {
  const { descriptor } = locked
  requireFeatures(descriptor, 'read')
  const masterKey = await unlock(locked, secret)
  const keys = deriveKeys(masterKey, descriptor.repository)
  verifyDescriptor(descriptor, keys.descriptor)
  return { ...locked, id: descriptor.repository, keys }
}

export async function readDescriptor(url: string, storage: Storage): Promise<Descriptor> {
  try {
    return parseDescriptor(await storage.get(descriptorKey))
  } catch (cause) {
    if (!isPortError(cause, 'not-found')) throw cause
    throw new BkpError('no-repository', `There is no repository at ${url}`, {
      hint: `Check the path, or that the disk is mounted; a new repository is made by: bkp init --to ${url}`,
      cause,
    })
  }
}

async function unlock({ url, storage, descriptor }: LockedRepository, secret: UnlockSecret): Promise<Uint8Array> {
  const bytes =
    secret.kind === 'passphrase'
      ? secretOfPassphrase(secret.passphrase.reveal())
      : parseRecoveryCode(secret.code.reveal())
  const kind = secret.kind === 'passphrase' ? 'passphrase' : 'recovery'
  let tried = 0
  const broken: BkpError[] = []
  for (const [key, reading] of await startReadingSlots(storage)) {
    try {
      const slot = parseSlot(await reading)
      if (slot === undefined) continue
      if (slot.repository !== descriptor.repository)
        throw damaged(`The key slot ${key} belongs to the repository ${slot.repository}`)
      if (slot.kind !== kind) continue
      tried++
      const masterKey = await openSlot(slot, bytes)
      if (masterKey !== undefined) return masterKey
    } catch (error) {
      if (isBkpError(error, 'damaged')) broken.push(error)
      else if (isPortError(error, 'corrupt'))
        broken.push(damaged(`The key slot ${key} is damaged: ${error.message}`, error))
      else throw error
    }
  }
  // With no sound slot to try, the secret may well be right.
  if (tried === 0 && broken[0] !== undefined) throw broken[0]
  if (tried === 0)
    throw damaged(
      `The repository at ${url} has no key slot for a ${kind === 'passphrase' ? 'passphrase' : 'recovery code'}`,
    )
  const what = kind === 'passphrase' ? 'passphrase' : 'recovery code'
  throw new BkpError('wrong-passphrase', `No key slot of ${url} opens with this ${what}`, {
    hint:
      kind === 'passphrase'
        ? 'Check the passphrase for a typing error; if it is lost, use the recovery code that bkp init printed: --recovery-code'
        : 'Check that the code belongs to this repository',
  })
}

/** All at once: where they are far away, waiting for each takes longer than reading it. */
async function startReadingSlots(storage: Storage): Promise<ReadonlyMap<string, Promise<Uint8Array>>> {
  const reading = new Map<string, Promise<Uint8Array>>()
  for await (const { key } of storage.list('keys/'))
    if (parseObjectKey(key) !== undefined) reading.set(key, storage.get(key))
  // Those that nobody comes to wait for fail nobody.
  for (const bytes of reading.values()) bytes.catch(() => undefined)
  return reading
}

export async function exists(
  storage: Storage,
  key: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<boolean> {
  try {
    await storage.stat(key, options)
    return true
  } catch (error) {
    if (isPortError(error, 'not-found')) return false
    throw error
  }
}

function repositoryExists(url: string): BkpError {
  return new BkpError('repository-exists', `There is already a repository at ${url}`, {
    hint: `Back up into it: bkp backup PATH --to ${url}`,
  })
}

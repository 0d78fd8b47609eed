import type { Secret, Storage } from '@bkp/plugin-api'
import { isPortError } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import {
  createDescriptor,
  type Descriptor,
  encodeDescriptor,
  parseDescriptor,
  requireFeatures,
  verifyDescriptor,
} from '../format/descriptor.js'
import { descriptorKey, objectNameOf, slotKey } from '../format/ids.js'
import { createPassphraseSlot, createRecoverySlot } from '../format/key-slot.js'
import { generateRecoveryCode, parseRecoveryCode } from '../format/recovery-code.js'
import { deriveKeys, type RepositoryKeys } from '../format/subkeys.js'
import type { KeySlots, ListedSlots, UnlockedKey } from './key-slots.js'

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
  readonly passphraseSlot: Uint8Array
  readonly recoverySlot: Uint8Array
  readonly descriptor: Uint8Array
}

export async function makeRepository(parts: CreationParts, passphrase: Secret): Promise<NewRepository> {
  const repository = Buffer.from(parts.randomBytes(16)).toString('hex')
  const masterKey = parts.randomBytes(32)
  const created = parts.now().toISOString()
  const recoveryCode = generateRecoveryCode()
  const slot = { repository, masterKey, created }
  const passphraseSlot = await createPassphraseSlot(passphrase.reveal(), slot)
  const recoverySlot = await createRecoverySlot(parseRecoveryCode(recoveryCode.reveal()), slot)
  const descriptor = createDescriptor(repository, created, deriveKeys(masterKey, repository).descriptor)
  return { id: repository, recoveryCode, passphraseSlot, recoverySlot, descriptor: encodeDescriptor(descriptor) }
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
  for (const bytes of [made.passphraseSlot, made.recoverySlot]) await storage.put(slotKey(objectNameOf(bytes)), bytes)
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
  /** Its key slots, where they are being read already. */
  readonly listed?: Promise<ListedSlots>
}

/** @throws BkpError `wrong-passphrase`, `unsupported`, `damaged` */
export async function openRepository(
  { url, storage, descriptor, listed }: LockedRepository,
  slots: KeySlots,
): Promise<OpenedRepository & Pick<UnlockedKey, 'slot'>> {
  requireFeatures(descriptor, 'read')
  const { masterKey, slot } = await slots.unlock(await (listed ?? slots.list(storage)), descriptor.repository, url)
  const keys = deriveKeys(masterKey, descriptor.repository)
  verifyDescriptor(descriptor, keys.descriptor)
  return { url, storage, descriptor, id: descriptor.repository, keys, slot }
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

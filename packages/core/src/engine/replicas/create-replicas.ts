import type { Secret, Storage } from '@bkp/plugin-api'
import { type Destination, shownPlace } from '../../config/destination.js'
import { BkpError, isBkpError } from '../../errors/index.js'
import {
  type CreationParts,
  makeRepository,
  refuseRepository,
  storeRepository,
} from '../../repository/opened-repository.js'
import type { CreateRepositoryResult, DestinationOutcome } from '../api.js'
import type { PluginAccess } from '../plugin-access.js'
import { refuseOnePlace } from './one-place.js'
import { asError } from './replica.js'

export interface ReplicaCreationParts extends CreationParts {
  /** Is told the slot of the passphrase for each place on a network, which is likely to be opened next. */
  readonly remember: (url: string, slot: Uint8Array) => Promise<void>
}

/**
 * Creates one repository on all destinations.
 * @throws BkpError `repository-exists`, `usage` when two destinations are one place, or the error of a place that cannot be used, before anything is written
 */
export async function createReplicas(
  plugins: PluginAccess,
  destinations: readonly Destination[],
  passphrase: Secret,
  parts: ReplicaCreationParts,
): Promise<CreateRepositoryResult> {
  const [first] = destinations
  if (first === undefined) throw new BkpError('usage', 'No destination is named')
  const opened: { readonly destination: Destination; readonly storage: Storage }[] = []
  try {
    for (const destination of destinations) {
      const storage = await plugins.openStorage(destination, 'create')
      opened.push({ destination, storage })
      await refuseRepository(destination.url, storage)
    }
    await refuseOnePlace(opened.map(({ destination, storage }) => ({ name: destination.name, storage })))
    const made = await makeRepository(parts, passphrase)
    const outcomes: DestinationOutcome[] = []
    const errors: Error[] = []
    for (const { destination, storage } of opened) {
      const error = await storeRepository(destination.url, storage, made).then(() => undefined, asError)
      if (error !== undefined) errors.push(error)
      else if (!storage.capabilities.isLocal) await parts.remember(destination.url, made.passphraseSlot)
      // Somebody else was faster: two repositories must not be taken for one.
      if (isBkpError(error, 'repository-exists')) throw error
      const message = error === undefined ? {} : { message: error.message }
      const state = error === undefined ? 'complete' : 'lagging'
      outcomes.push({ ...shownPlace(destination), state, storedBytes: 0, caughtUpObjects: 0, ...message })
    }
    if (errors.length === opened.length) throw errors[0]
    return { repositoryId: made.id, recoveryCode: made.recoveryCode, url: first.url, destinations: outcomes }
  } finally {
    await Promise.all(opened.map(({ storage }) => storage.close()))
  }
}

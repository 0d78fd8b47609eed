import { isPortError, type Storage } from '@bkp/plugin-api'
import { isBkpError } from '../../errors/index.js'
import { descriptorKey } from '../../format/ids.js'
import { throwIfAborted } from '../abort.js'
import type { HealedObject } from '../api.js'
import type { OperationContext } from '../context.js'
import { healObjects } from './heal.js'
import { openStorageAt } from './open-replicas.js'
import { type AbsentReplica, Replica } from './replica.js'

/** A destination that was put aside for want of a sound descriptor, and takes part again. */
export interface RestoredReplica {
  readonly replica: Replica
  readonly healed: HealedObject
}

/**
 * Gives those destinations their descriptor anew that were put aside because it is damaged or gone. A place is taken for one
 * of this repository only if it holds a key object of it: an empty folder may be a disk that is not mounted.
 *
 * @param onLeft is told of each that stays aside, with the reason
 */
export async function healDescriptors(
  context: OperationContext,
  signal: AbortSignal | undefined,
  onLeft: (absent: AbsentReplica, reason: string) => void,
): Promise<readonly RestoredReplica[]> {
  const restored: RestoredReplica[] = []
  const candidates = context.absent.filter(
    ({ error }) => isBkpError(error, 'damaged') || isBkpError(error, 'no-repository'),
  )
  for (const absent of candidates) {
    throwIfAborted(signal)
    const { destination, error } = absent
    let storage: Storage | undefined
    try {
      storage = await openStorageAt(context.plugins, destination)
      if (!(await holdsKeyOf(storage, context.storage, signal))) {
        onLeft(absent, 'it holds no key of this repository')
        await storage.close()
        continue
      }
      const damage = new Map([[descriptorKey, error.message]])
      const { healed, left } = await healObjects(damage, storage, context.storage, signal)
      const [descriptor] = healed
      if (descriptor === undefined) {
        onLeft(absent, left.get(descriptorKey) ?? error.message)
        await storage.close()
        continue
      }
      restored.push({ replica: new Replica(destination, storage), healed: descriptor })
    } catch (failure) {
      await storage?.close()
      throwIfAborted(signal)
      if (!isPortError(failure) && !isBkpError(failure)) throw failure
      onLeft(absent, failure.message)
    }
  }
  return restored
}

/** Key objects are named by their SHA-256 and bound to one repository. */
async function holdsKeyOf(storage: Storage, sound: Storage, signal: AbortSignal | undefined): Promise<boolean> {
  const options = signal === undefined ? {} : { signal }
  const ours = new Set<string>()
  for await (const { key } of sound.list('keys/', options)) ours.add(key)
  for await (const { key } of storage.list('keys/', options)) if (ours.has(key)) return true
  return false
}

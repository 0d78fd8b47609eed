import { isPortError, PortError, type Storage } from '@bkp/plugin-api'
import { descriptorKey, objectNameOf, parseObjectKey } from '../../format/ids.js'
import { forEachAtATime } from '../../repository/repository-index.js'
import { throwIfAborted } from '../abort.js'
import type { HealedObject } from '../api.js'
import { isSound } from './copy-missing.js'
import { asError } from './replica.js'

const objectsAtATime = 4

export interface HealResult {
  readonly healed: readonly HealedObject[]
  /** What could not be replaced, with the reason. */
  readonly left: ReadonlyMap<string, string>
  /** Those of `left` whose bytes are what their names say: what is wrong with them came with them, or lies elsewhere. */
  readonly sound: ReadonlySet<string>
}

/**
 * Replaces damaged or missing objects of one replica by those of another, each read sound there and read back here.
 * @param keys with what is wrong with each
 */
export async function healObjects(
  keys: ReadonlyMap<string, string>,
  replica: Storage,
  from: Storage,
  signal: AbortSignal | undefined,
): Promise<HealResult> {
  const options = signal === undefined ? {} : { signal }
  const healed: HealedObject[] = []
  const left = new Map<string, string>()
  const sound = new Set<string>()
  await forEachAtATime([...keys], objectsAtATime, async ([key, message]) => {
    throwIfAborted(signal)
    try {
      if (key !== descriptorKey && (await isSound(replica, key, options))) {
        sound.add(key)
        left.set(key, 'here it has the bytes that its name says, as everywhere: it was wrong when it was made')
        return
      }
      const bytes = await from.get(key, options)
      await replica.put(key, bytes, options)
      if (objectNameOf(await replica.get(key, options)) !== objectNameOf(bytes))
        throw new PortError('corrupt', `${key} reads back other bytes than were written`)
      healed.push({ key, message, bytes: bytes.length })
    } catch (error) {
      throwIfAborted(signal)
      if (!isPortError(error)) throw error
      left.set(key, asError(error).message)
    }
  })
  return { healed, left, sound }
}

/** Damages may be of things that are no objects, e.g. of a blob that no pack has. */
export function isHealable(key: string): boolean {
  return parseObjectKey(key) !== undefined || key === descriptorKey
}

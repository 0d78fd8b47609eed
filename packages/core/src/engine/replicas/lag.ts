import { indexKey } from '../../format/ids.js'
import { type CopyOptions, copyObjects, findMissing, listNaming, type MissingObjects } from './copy-missing.js'
import { asError, type Replica } from './replica.js'
import { ReplicatedStorage } from './replicated-storage.js'

/** What a destination lacks of earlier runs. */
export interface Lag {
  readonly replica: Replica
  readonly missing: MissingObjects
}

// What was asked of one that lags is expected to be missing there.
const silent = () => undefined

/** The others as one storage, to bring a destination up from: it would not be complete without what one of them has. */
function othersThan(replica: Replica, replicas: readonly Replica[]): ReplicatedStorage {
  return new ReplicatedStorage(
    replicas.filter((other) => other !== replica),
    silent,
    'of-all',
  )
}

/** What a run relies on. */
export interface ReliedOn {
  /** Names. They may be newer than the lists that are compared here: another run may have given some destinations more since. */
  readonly segments: ReadonlySet<string>
  /** Whether a destination is known to lack packs that it should have. */
  readonly lacksPacks?: (replica: Replica) => boolean
}

/** Finds the destinations that lack something the others have. One that cannot be asked takes no further part. */
export async function findLags(
  replicas: readonly Replica[],
  reliedOn: Promise<ReliedOn>,
  signal: AbortSignal,
): Promise<readonly Lag[]> {
  if (replicas.length < 2) return []
  const held = new Map<Replica, ReadonlySet<string>>()
  await Promise.all(
    replicas.map((replica) =>
      endingPart(replica, signal, async () => held.set(replica, new Set(await listNaming(replica.storage, signal)))),
    ),
  )
  const all = new Set([...held.values()].flatMap((keys) => [...keys]))
  const { segments, lacksPacks } = await reliedOn
  for (const name of segments) all.add(indexKey(name))
  const behind = [...held].filter(([replica, keys]) => keys.size < all.size || lacksPacks?.(replica) === true)
  const sound = [...held.keys()]
  const lags: Lag[] = []
  for (const [replica] of behind) {
    await endingPart(replica, signal, async () => {
      lags.push({ replica, missing: await findMissing(othersThan(replica, sound), replica.storage, signal) })
    })
  }
  return lags
}

/** A failure of `action` ends the part of the replica in the run. */
async function endingPart(replica: Replica, signal: AbortSignal, action: () => Promise<unknown>): Promise<void> {
  try {
    await action()
  } catch (error) {
    signal.throwIfAborted()
    replica.giveUp(asError(error))
  }
}

/**
 * Gives a destination what it lacks, from the others.
 * @returns how many objects
 * @throws Error when some of it is not sound anywhere: until that is healed the destination lags
 */
export async function catchUp(
  { replica, missing }: Lag,
  replicas: readonly Replica[],
  options: CopyOptions,
): Promise<number> {
  const { objects, damaged } = await copyObjects(missing, othersThan(replica, replicas), replica.storage, options)
  const [first] = damaged
  if (first === undefined) return objects
  throw new Error(
    `${damaged.length} of the objects that ${replica.name} lacks cannot be read anywhere, the first is ${first.key}: ${first.message}`,
  )
}

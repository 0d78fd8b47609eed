import { isPortError, type Storage } from '@bkp/plugin-api'
import type { Destination } from '../../config/destination.js'
import { BkpError, isBkpError } from '../../errors/index.js'
import { type Descriptor, verifyDescriptor } from '../../format/descriptor.js'
import { inShell } from '../../in-shell.js'
import type { KeySlots, ListedSlots } from '../../repository/key-slots.js'
import { type OpenedRepository, openRepository, readDescriptor } from '../../repository/opened-repository.js'
import type { PluginAccess } from '../plugin-access.js'
import { type AbsentReplica, asError, Replica } from './replica.js'
import { type FellOver, ReplicatedStorage } from './replicated-storage.js'

/** The destinations of a repository, as far as they can be used. */
export interface OpenedReplicas {
  /** Sound ones of one repository, those on this machine first. */
  readonly replicas: readonly Replica[]
  readonly absent: readonly AbsentReplica[]
  /** What each says of itself. */
  readonly descriptors: ReadonlyMap<Replica, Descriptor>
  /** Key slots that are being read. */
  readonly listed?: Promise<ListedSlots>
}

export interface OpenReplicasOptions {
  /** Which one it has to be, when that is known. */
  readonly repositoryId?: string
  /** What is going to be unlocked: key slots of a single destination are read together with its descriptor. */
  readonly slots?: KeySlots
}

type Opening = { readonly destination: Destination } & (
  | {
      readonly kind: 'replica'
      readonly replica: Replica
      readonly descriptor: Descriptor
      readonly listed?: Promise<ListedSlots>
    }
  | { readonly kind: 'absent'; readonly error: Error; readonly storage?: Storage }
)

/**
 * Opens all destinations of a repository at the same time. Of several, those that cannot be reached or hold no repository
 * are put aside; nothing is done when they hold different ones.
 * @throws the error of the first, when none can be used; BkpError `usage` for different repositories
 */
export async function openReplicas(
  plugins: PluginAccess,
  destinations: readonly Destination[],
  { repositoryId, slots }: OpenReplicasOptions = {},
): Promise<OpenedReplicas> {
  const toRead = destinations.length === 1 ? slots : undefined
  const openings = await Promise.all(destinations.map((destination) => open(plugins, destination, toRead)))
  const opened = openings.filter((opening) => opening.kind === 'replica')
  const absent = openings.filter((opening) => opening.kind === 'absent')
  await Promise.all(absent.map(({ storage }) => storage?.close()))
  const [first] = opened
  if (first === undefined) throw absent[0]?.error ?? new BkpError('usage', 'No destination is named')
  const wanted = repositoryId ?? first.descriptor.repository
  const other = opened.find(({ descriptor }) => descriptor.repository !== wanted)
  if (other !== undefined) {
    await Promise.all(opened.map(({ replica }) => replica.storage.close()))
    const against = other === first ? 'this repository is' : `${first.destination.name} holds`
    throw new BkpError(
      'usage',
      `${other.destination.name} holds the repository ${other.descriptor.repository.slice(0, 8)}, and ${against} ${wanted.slice(0, 8)}`,
      {
        hint: 'Destinations of one run are replicas of one repository; snapshots go to another repository by: bkp copy',
      },
    )
  }
  const isLocal = ({ replica }: (typeof opened)[number]) => replica.storage.capabilities.isLocal
  const inOrder = [...opened.filter(isLocal), ...opened.filter((opening) => !isLocal(opening))]
  return {
    replicas: inOrder.map(({ replica }) => replica),
    absent: absent.map(({ destination, error }) => ({ destination, error: adviseReplica(destination, error, first) })),
    descriptors: new Map(opened.map(({ replica, descriptor }) => [replica, descriptor])),
    ...(first.listed === undefined ? {} : { listed: first.listed }),
  }
}

/** Beside others, what is wanted where nothing is yet is a replica: `bkp init` would begin another repository there. */
function adviseReplica({ name }: Destination, error: Error, source: { readonly destination: Destination }): Error {
  if (!isBkpError(error, 'no-repository')) return error
  const hint = `Check that its disk is mounted and the address right; a new replica is made there by: bkp sync --from ${inShell(source.destination.name)} --to ${inShell(name)}`
  return new BkpError('no-repository', error.message, { hint, cause: error })
}

async function open(plugins: PluginAccess, destination: Destination, slots: KeySlots | undefined): Promise<Opening> {
  let storage: Storage | undefined
  const leaving = new AbortController()
  try {
    storage = await openStorageAt(plugins, destination)
    const listed = slots?.list(storage, { signal: leaving.signal })
    // A failure is told to whoever needs them.
    listed?.catch(() => undefined)
    const descriptor = await readDescriptor(destination.url, storage)
    const replica = new Replica(destination, storage, plugins.comesWithBkp(storage))
    const opening = { kind: 'replica', destination, replica, descriptor } as const
    return listed === undefined ? opening : { ...opening, listed }
  } catch (cause) {
    const error = asError(cause)
    // Key slots that are being read are of no use any more.
    leaving.abort(error)
    return { kind: 'absent', destination, error, ...(storage === undefined ? {} : { storage }) }
  }
}

/** @throws BkpError `no-repository` where there is nothing; what the storage says else */
export async function openStorageAt(plugins: PluginAccess, destination: Destination): Promise<Storage> {
  const { url } = destination
  try {
    return await plugins.openStorage(destination, 'open')
  } catch (cause) {
    if (!isPortError(cause, 'not-found')) throw cause
    const hint = `${cause.hint ?? 'Check the address'}; a new repository is made by: bkp init --to ${url}`
    throw new BkpError('no-repository', `There is no repository at ${url}: ${cause.message}`, { hint, cause })
  }
}

export interface UnlockedReplicas extends Pick<OpenedReplicas, 'replicas' | 'absent'> {
  readonly repository: OpenedRepository
  /** The key slot that had the key. */
  readonly slot: Uint8Array
}

/**
 * Opens the keys of replicas with a secret, wherever a sound slot is, and puts those aside whose descriptor was not made with
 * these keys.
 * @throws BkpError `wrong-passphrase`, `unsupported`, `damaged`
 */
export async function unlockReplicas(
  { replicas, absent, descriptors, listed }: OpenedReplicas,
  slots: KeySlots,
  onFellOver: FellOver,
): Promise<UnlockedReplicas> {
  const [first, second] = replicas
  const descriptor = first === undefined ? undefined : descriptors.get(first)
  if (first === undefined || descriptor === undefined) throw new Error('Only opened replicas can be unlocked')
  const { url } = first.destination
  const from = second === undefined ? first.storage : new ReplicatedStorage(replicas, onFellOver)
  const locked = { url, storage: from, descriptor, ...(listed === undefined ? {} : { listed }) }
  const { slot, ...repository } = await openRepository(locked, slots)
  if (second === undefined) return { replicas, absent, repository, slot }
  const genuine: Replica[] = []
  const forged: AbsentReplica[] = []
  for (const replica of replicas) {
    try {
      verifyDescriptor(descriptors.get(replica) as Descriptor, repository.keys.descriptor)
      genuine.push(replica)
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      forged.push({ destination: replica.destination, error })
    }
  }
  await Promise.all(replicas.filter((replica) => !genuine.includes(replica)).map(({ storage }) => storage.close()))
  const storage =
    genuine[1] === undefined ? (genuine[0]?.storage ?? repository.storage) : new ReplicatedStorage(genuine, onFellOver)
  return { replicas: genuine, absent: [...absent, ...forged], repository: { ...repository, storage }, slot }
}

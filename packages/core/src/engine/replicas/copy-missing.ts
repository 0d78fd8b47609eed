import { isPortError, type Storage, type StoredObject } from '@bkp/plugin-api'
import { descriptorKey, type ObjectFamily } from '../../format/ids.js'
import { exists } from '../../repository/opened-repository.js'
import { forEachAtATime } from '../../repository/repository-index.js'
import { throwIfAborted } from '../abort.js'

/** Objects that are on their way at a time; the largest are packs of 16 MiB and more. */
export const transfersAtATime = 4

/**
 * The order in which a replica is brought up: what is named before what names it, and the descriptor last of all, so that
 * what looks like a repository is one. It is listed the other way round, so that what a listed object names is listed too.
 */
const inOrderOfWriting = ['packs', 'condemned', 'index', 'snapshots', 'keys'] as const satisfies readonly ObjectFamily[]

export interface MissingObject {
  readonly key: string
  readonly sizeBytes: number
  /** There is something of that name, of another size: one of the two is damaged, and nobody has looked which. */
  readonly isInDoubt: boolean
}

/** What one replica has to be given; one list of objects for each step, in order. */
export interface MissingObjects {
  readonly steps: readonly (readonly MissingObject[])[]
  readonly objects: number
  readonly bytes: number
  /** Everything that was found where it is copied from, by size. */
  readonly found: ReadonlyMap<string, number>
}

export interface CopyResult {
  readonly objects: number
  readonly bytes: number
  /** Objects that could not be read sound anywhere, and so were not copied. */
  readonly damaged: readonly { readonly key: string; readonly message: string }[]
}

export interface CopyOptions {
  readonly signal: AbortSignal | undefined
  readonly onCopied?: (object: MissingObject) => void
}

/**
 * What `from` has and `to` has not.
 * @param to undefined where nothing has been made yet
 */
export async function findMissing(
  from: Storage,
  to: Storage | undefined,
  signal?: AbortSignal,
): Promise<MissingObjects> {
  const options = signal === undefined ? {} : { signal }
  const steps: MissingObject[][] = []
  const found = new Map<string, number>()
  for (const family of [...inOrderOfWriting].reverse()) {
    const [wanted, there] = await Promise.all([
      listAll(from, `${family}/`, options),
      to === undefined ? [] : listAll(to, `${family}/`, options),
    ])
    const known = new Map(there.map(({ key, sizeBytes }) => [key, sizeBytes]))
    const missing = new Map<string, MissingObject>()
    for (const { key, sizeBytes } of wanted) {
      found.set(key, sizeBytes)
      // Several places may have it in several sizes; most damage is that something was cut off.
      if (known.get(key) !== sizeBytes && sizeBytes > (missing.get(key)?.sizeBytes ?? -1))
        missing.set(key, { key, sizeBytes, isInDoubt: known.has(key) })
    }
    steps.unshift([...missing.values()])
  }
  if (to === undefined || !(await exists(to, descriptorKey, options))) {
    const { sizeBytes } = await from.stat(descriptorKey, options)
    steps.push([{ key: descriptorKey, sizeBytes, isInDoubt: false }])
  }
  return missingObjects(steps, found)
}

/**
 * What is missing besides what is there sound, though others have it in another size: that is read, which costs less than to
 * write it again.
 */
export async function besidesSound(
  missing: MissingObjects,
  storage: Storage,
  signal?: AbortSignal,
): Promise<MissingObjects> {
  const doubtful = missing.steps.flat().filter(({ isInDoubt }) => isInDoubt)
  if (doubtful.length === 0) return missing
  const sound = new Set<string>()
  await forEachAtATime(doubtful, transfersAtATime, async ({ key }) => {
    throwIfAborted(signal)
    if (await isSound(storage, key, signal === undefined ? {} : { signal })) sound.add(key)
  })
  const { steps, found } = besides(missing, sound)
  return missingObjects(
    steps.map((step) => step.map((object) => ({ ...object, isInDoubt: false }))),
    found,
  )
}

/** What is missing besides what was tried already. */
export function besides({ steps, found }: MissingObjects, tried: ReadonlySet<string>): MissingObjects {
  return missingObjects(
    steps.map((step) => step.filter(({ key }) => !tried.has(key))),
    found,
  )
}

function missingObjects(steps: MissingObjects['steps'], found: MissingObjects['found']): MissingObjects {
  const all = steps.flat()
  return { steps, objects: all.length, bytes: all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), found }
}

/** The keys of all objects but packs: a replica that has what names packs has the packs, as they are written first. */
export async function listNaming(storage: Storage, signal: AbortSignal): Promise<readonly string[]> {
  const families = inOrderOfWriting.filter((family) => family !== 'packs')
  const lists = await Promise.all(families.map((family) => listAll(storage, `${family}/`, { signal })))
  return lists.flat().map(({ key }) => key)
}

/**
 * Copies objects by their bytes, step by step. What is damaged is left out, and said; everything else is copied. Can be
 * broken off and begun again at any time.
 * @throws PortError of the first write that fails
 */
export async function copyObjects(
  missing: MissingObjects,
  from: Storage,
  to: Storage,
  options: CopyOptions,
): Promise<CopyResult> {
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  const damaged: { key: string; message: string }[] = []
  let objects = 0
  let bytes = 0
  for (const step of missing.steps) {
    await forEachAtATime(step, transfersAtATime, async (object) => {
      throwIfAborted(options.signal)
      if (object.isInDoubt && (await isSound(to, object.key, signal))) return
      let data: Uint8Array
      try {
        // Read whole, so that its SHA-256 is compared with its name.
        data = await from.get(object.key, signal)
      } catch (error) {
        if (!isPortError(error, 'corrupt') && !isPortError(error, 'not-found')) throw error
        damaged.push({ key: object.key, message: error.message })
        return
      }
      await putOnce(to, object.key, data, signal)
      objects++
      bytes += data.length
      options.onCopied?.(object)
    })
  }
  return { objects, bytes, damaged }
}

/** Stores an object that may be there by now, also where nothing may be replaced. */
async function putOnce(
  storage: Storage,
  key: string,
  data: Uint8Array,
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  try {
    await storage.put(key, data, options)
  } catch (error) {
    if (!isPortError(error, 'already-exists') && !isPortError(error, 'forbidden')) throw error
    const there = await storage.stat(key, options).catch(() => undefined)
    if (there?.sizeBytes !== data.length) throw error
  }
}

/** Whether the bytes of an object have the SHA-256 that is its name. */
export async function isSound(
  storage: Storage,
  key: string,
  options: { readonly signal?: AbortSignal },
): Promise<boolean> {
  try {
    await storage.get(key, options)
    return true
  } catch (error) {
    if (isPortError(error, 'corrupt') || isPortError(error, 'not-found')) return false
    throw error
  }
}

export async function listAll(
  storage: Storage,
  prefix: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const { key, sizeBytes } of storage.list(prefix, options)) objects.push({ key, sizeBytes })
  return objects
}

import { isPortError, type Storage } from '@bkp/plugin-api'
import { descriptorKey, parseObjectKey } from '../../format/ids.js'
import { forEachAtATime } from '../../repository/repository-index.js'
import { throwIfAborted } from '../abort.js'
import type { MigrateOptions, MigrationResult } from '../api.js'
import { listAll } from './copy-missing.js'
import { healObjects } from './heal.js'

const readsAtATime = 4

type Fault = MigrationResult['faults'][number]

export interface Proof {
  readonly objects: number
  readonly bytes: number
  readonly replaced: number
  readonly faults: readonly Fault[]
  /** What the source has now. */
  readonly wanted: ReadonlySet<string>
}

/**
 * Compares count, names and sizes of what is at the source still, and reads everything back where that is asked for. What
 * has other bytes at the target, from whoever wrote it, is replaced.
 * @param known what the source had when it was looked at last; what has come since is the next run's
 */
export async function prove(
  source: Storage,
  target: Storage,
  known: ReadonlyMap<string, number>,
  { readBack, signal, onEvent }: MigrateOptions,
  onRead: (key: string, sizeBytes: number) => void,
): Promise<Proof> {
  const options = signal === undefined ? {} : { signal }
  const [atSource, atTarget] = await Promise.all([listAll(source, '', options), listAll(target, '', options)])
  const wanted = atSource.filter(({ key }) => isMoved(key))
  const moved = wanted.filter(({ key }) => key === descriptorKey || known.has(key))
  const sizes = new Map(atTarget.map(({ key, sizeBytes }) => [key, sizeBytes]))
  if (readBack) onEvent?.({ kind: 'note', message: `Reading ${moved.length} objects back from the target` })
  const sound = new Map<string, number>()
  const faults = new Map<string, string>()
  await forEachAtATime(moved, readsAtATime, async ({ key, sizeBytes }) => {
    throwIfAborted(signal)
    const there = sizes.get(key)
    if (there === undefined) {
      faults.set(key, 'it is not at the target')
      return
    }
    // Of another size one of the two is damaged: its bytes tell which.
    const wrong = readBack || there !== sizeBytes ? await faultAt(target, key, source, options) : undefined
    if (wrong === undefined) sound.set(key, there)
    else faults.set(key, wrong)
    if (readBack) onRead(key, there)
  })
  const { healed, left } = await healObjects(faults, target, source, signal)
  for (const { key, bytes } of healed) sound.set(key, bytes)
  const newer = wanted.length - moved.length
  if (newer > 0)
    onEvent?.({
      kind: 'note',
      message: `${newer} objects have come to the source meanwhile; the same command moves them`,
    })
  return {
    objects: sound.size,
    bytes: [...sound.values()].reduce((sum, sizeBytes) => sum + sizeBytes, 0),
    replaced: healed.length,
    faults: [...left].map(([key, message]) => ({ key, message: reasonOf(faults.get(key), message) })),
    wanted: new Set(wanted.map(({ key }) => key)),
  }
}

function reasonOf(fault: string | undefined, replacing: string): string {
  return fault === undefined || fault === replacing ? replacing : `${fault}; it cannot be replaced: ${replacing}`
}

/** What is wrong with an object at the target; its bytes are compared with its name, the descriptor's with the source's. */
async function faultAt(
  target: Storage,
  key: string,
  source: Storage,
  options: { readonly signal?: AbortSignal },
): Promise<string | undefined> {
  try {
    const bytes = await target.get(key, options)
    if (key !== descriptorKey || Buffer.compare(bytes, await source.get(key, options)) === 0) return undefined
    return 'it has other bytes at the target'
  } catch (error) {
    if (isPortError(error, 'corrupt') || isPortError(error, 'not-found')) return `at the target ${error.message}`
    throw error
  }
}

/** All but the leases of writers, which mean something to the source alone. */
function isMoved(key: string): boolean {
  return key === descriptorKey || (parseObjectKey(key)?.family ?? 'sessions') !== 'sessions'
}

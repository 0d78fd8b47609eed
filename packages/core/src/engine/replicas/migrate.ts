import { isPortError, type Storage, type StoredObject } from '@bkp/plugin-api'
import { BkpError, isBkpError } from '../../errors/index.js'
import { descriptorKey, parseObjectKey } from '../../format/ids.js'
import { readDescriptor } from '../../repository/opened-repository.js'
import { forEachAtATime } from '../../repository/repository-index.js'
import { abortError, throwIfAborted } from '../abort.js'
import type { MigrateOptions, MigrationPlan, MigrationResult } from '../api.js'
import type { PluginAccess } from '../plugin-access.js'
import { type CopyResult, copyObjects, findMissing, listAll, type MissingObjects } from './copy-missing.js'
import { openStorageAt } from './open-replicas.js'

/** What the providers give in one answer of a list. */
const keysPerList = 1000
const readsAtATime = 4

type Fault = MigrationResult['faults'][number]

/** Moves a repository from one provider to another: plans, copies, proves. */
export async function migrate(
  options: MigrateOptions,
  plugins: PluginAccess,
  now: () => number,
): Promise<MigrationResult> {
  const { from, to, signal, onEvent } = options
  const started = now()
  onEvent?.({ kind: 'started', operation: 'migrate' })
  const source = await openStorageAt(plugins, from)
  let target: Storage | undefined
  try {
    const { repository } = await readDescriptor(from.url, source)
    target = await openTarget(options, plugins, repository)
    const missing = await findMissing(source, target, signal)
    const plan = await planMigration(missing, source, target, options, now)
    const nothing = { copiedObjects: 0, copiedBytes: 0, verifiedObjects: 0, verifiedBytes: 0, faults: [] }
    const finish = (rest: Omit<MigrationResult, 'plan' | 'elapsedMs'>) => ({
      plan,
      ...rest,
      elapsedMs: now() - started,
    })
    if (options.dryRun) return finish({ state: 'planned', ...nothing })
    if (!(await options.confirm(plan))) return finish({ state: 'refused', ...nothing })
    target ??= await plugins.openStorage(to, 'create')
    const copied = await copy(missing, source, target, options)
    const proof = await prove(source, target, options)
    const faults = [
      ...copied.damaged,
      ...proof.faults.filter(({ key }) => !copied.damaged.some((one) => one.key === key)),
    ]
    return finish({
      state: faults.length === 0 ? 'complete' : 'incomplete',
      copiedObjects: copied.objects,
      copiedBytes: copied.bytes,
      verifiedObjects: proof.objects,
      verifiedBytes: proof.bytes,
      faults,
    })
  } catch (error) {
    if (signal?.aborted) throw abortError(signal)
    throw error
  } finally {
    await Promise.all([source.close(), target?.close()])
  }
}

/** @returns undefined when there is nothing yet, which is made only when the plan is agreed to */
async function openTarget(
  { to }: MigrateOptions,
  plugins: PluginAccess,
  repository: string,
): Promise<Storage | undefined> {
  let storage: Storage
  try {
    storage = await openStorageAt(plugins, to)
  } catch (error) {
    if (isBkpError(error, 'no-repository')) return undefined
    throw error
  }
  try {
    const there = (await readDescriptor(to.url, storage)).repository
    if (there === repository) return storage
    throw new BkpError('usage', `${to.name} holds another repository, ${there.slice(0, 8)}`, {
      hint: 'Choose an empty place, or move snapshots between repositories by: bkp copy',
    })
  } catch (error) {
    if (isBkpError(error, 'no-repository')) return storage
    await storage.close()
    throw error
  }
}

async function planMigration(
  missing: MissingObjects,
  source: Storage,
  target: Storage | undefined,
  { readBack, signal }: MigrateOptions,
  now: () => number,
): Promise<MigrationPlan> {
  const options = signal === undefined ? {} : { signal }
  const all = (await listAll(source, '', options)).filter(({ key }) => isMoved(key))
  const there = target === undefined ? 0 : (await listAll(target, '', options)).length
  const bytes = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
  // Lists are asked for to plan, to find what is missing, and to prove.
  const lists = (objects: number) => 3 * Math.max(1, Math.ceil(objects / keysPerList))
  return {
    objects: all.length,
    bytes,
    objectsToCopy: missing.objects,
    bytesToCopy: missing.bytes,
    requests: {
      listAtSource: lists(all.length),
      readAtSource: missing.objects,
      listAtTarget: lists(there + missing.objects),
      writeAtTarget: missing.objects,
      readAtTarget: readBack ? all.length : 0,
    },
    seconds: await estimateSeconds(missing, source, options, now),
  }
}

/** By the time that the largest missing object takes to be read: the one that is closest to the line's speed. */
async function estimateSeconds(
  missing: MissingObjects,
  source: Storage,
  options: { readonly signal?: AbortSignal },
  now: () => number,
): Promise<number | undefined> {
  const largest = missing.steps
    .flat()
    .reduce<StoredObject | undefined>(
      (best, object) => (best === undefined || object.sizeBytes > best.sizeBytes ? object : best),
      undefined,
    )
  if (largest === undefined) return undefined
  const started = now()
  try {
    await source.get(largest.key, options)
  } catch (error) {
    // A damaged one is told of when it is copied.
    if (isPortError(error, 'corrupt') || isPortError(error, 'not-found')) return undefined
    throw error
  }
  const seconds = Math.max(0.001, (now() - started) / 1000)
  return (missing.bytes / Math.max(1, largest.sizeBytes)) * seconds
}

function copy(missing: MissingObjects, from: Storage, to: Storage, options: MigrateOptions): Promise<CopyResult> {
  const { signal, onEvent } = options
  const totals = { totalFiles: missing.objects, totalBytes: missing.bytes }
  onEvent?.({ kind: 'planned', ...totals })
  let filesDone = 0
  let bytesDone = 0
  return copyObjects(missing, from, to, {
    signal,
    onCopied: ({ key, sizeBytes }) => {
      filesDone++
      bytesDone += sizeBytes
      onEvent?.({ kind: 'progress', filesDone, bytesDone, storedBytes: bytesDone, errors: 0, current: key, ...totals })
    },
  })
}

/** Compares count, names and sizes, and reads everything back where that is asked for. */
async function prove(
  source: Storage,
  target: Storage,
  { readBack, signal, onEvent }: MigrateOptions,
): Promise<{ readonly objects: number; readonly bytes: number; readonly faults: readonly Fault[] }> {
  const options = signal === undefined ? {} : { signal }
  const [wanted, found] = await Promise.all([listAll(source, '', options), listAll(target, '', options)])
  const sizes = new Map(found.map(({ key, sizeBytes }) => [key, sizeBytes]))
  const faults: Fault[] = []
  let objects = 0
  let bytes = 0
  const moved = wanted.filter(({ key }) => isMoved(key))
  if (readBack) onEvent?.({ kind: 'note', message: `Reading ${moved.length} objects back from the target` })
  await forEachAtATime(moved, readsAtATime, async ({ key, sizeBytes }) => {
    throwIfAborted(signal)
    const size = sizes.get(key)
    if (size !== sizeBytes) {
      const message =
        size === undefined ? 'it is not at the target' : `it has ${size} bytes there instead of ${sizeBytes}`
      faults.push({ key, message })
      return
    }
    if (readBack) {
      const fault = await faultOf(key, source, target, options)
      if (fault !== undefined) {
        faults.push({ key, message: fault })
        return
      }
    }
    objects++
    bytes += sizeBytes
  })
  return { objects, bytes, faults }
}

/** What is wrong with an object at the target; its bytes are compared with its name, the descriptor's with the source's. */
async function faultOf(
  key: string,
  source: Storage,
  target: Storage,
  options: { readonly signal?: AbortSignal },
): Promise<string | undefined> {
  try {
    const bytes = await target.get(key, options)
    if (key !== descriptorKey || Buffer.compare(bytes, await source.get(key, options)) === 0) return undefined
    return 'it has other bytes at the target'
  } catch (error) {
    if (isPortError(error, 'corrupt') || isPortError(error, 'not-found')) return error.message
    throw error
  }
}

/** All but the leases of writers, which mean something to the source alone. */
function isMoved(key: string): boolean {
  return key === descriptorKey || (parseObjectKey(key)?.family ?? 'sessions') !== 'sessions'
}

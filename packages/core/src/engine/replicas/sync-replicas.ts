import { isPortError, type Storage } from '@bkp/plugin-api'
import { type Destination, shownPlace } from '../../config/destination.js'
import { BkpError, isBkpError } from '../../errors/index.js'
import { readDescriptor } from '../../repository/opened-repository.js'
import { abortError, throwIfAborted } from '../abort.js'
import type { SyncOptions, SyncOutcome, SyncResult } from '../api.js'
import type { PluginAccess } from '../plugin-access.js'
import { besidesSound, copyObjects, findMissing, type MissingObject, type MissingObjects } from './copy-missing.js'
import { refuseOnePlace } from './one-place.js'
import { openReplicas, openStorageAt } from './open-replicas.js'
import { asError, lostEvent, Replica } from './replica.js'
import { type FellOver, ReplicatedStorage } from './replicated-storage.js'

export interface SyncParts {
  readonly plugins: PluginAccess
  readonly now: () => number
  readonly onFellOver: FellOver
}

/** A destination that is to be brought up, and what it lacks. */
interface Target {
  readonly replica: Replica
  readonly from: Storage
  readonly missing: MissingObjects
}

/**
 * Gives destinations the objects that others of the same repository have, byte for byte; no passphrase is needed. What is
 * there already is not sent again, so that it can be broken off and begun anew. Nothing is removed anywhere.
 * @throws when nothing can be read from, a destination holds another repository, or two of them are one place
 */
export async function syncReplicas(options: SyncOptions, parts: SyncParts): Promise<SyncResult> {
  const { signal, onEvent } = options
  const started = parts.now()
  onEvent?.({ kind: 'started', operation: 'sync' })
  const sources = await openReplicas(parts.plugins, options.from)
  const opened = [...sources.replicas]
  // By URL: places that differ in their options alone are shown by the same name.
  const outcomes = new Map<string, SyncOutcome>()
  const fail = (destination: Destination, error: Error) =>
    outcomes.set(destination.url, {
      ...shownPlace(destination),
      state: 'lagging',
      objects: 0,
      bytes: 0,
      message: error.message,
    })
  try {
    for (const { destination, error } of sources.absent) {
      // The configuration may name a new destination among those that are read from.
      if (options.create && isBkpError(error, 'no-repository')) continue
      onEvent?.(lostEvent(destination.name, error))
      if (options.to.some(({ url }) => url === destination.url)) fail(destination, error)
    }
    const targets: Target[] = []
    for (const destination of options.to) {
      throwIfAborted(signal)
      if (outcomes.has(destination.url)) continue
      try {
        const known = sources.replicas.find((source) => source.destination.url === destination.url)
        const replica = known ?? (await openTarget(destination, options, parts.plugins))
        if (known === undefined) opened.push(replica)
        else if (sources.replicas.length === 1 && options.from.length > 1) {
          // The others are away or empty: it is the one that has something.
          outcomes.set(destination.url, { ...shownPlace(destination), state: 'complete', objects: 0, bytes: 0 })
          continue
        }
        targets.push(await compare(replica, sources.replicas, parts.onFellOver, signal))
      } catch (error) {
        if (isBkpError(error, 'usage') || isBkpError(error, 'interrupted')) throw error
        throwIfAborted(signal)
        const failure = asError(error)
        fail(destination, failure)
        onEvent?.(lostEvent(destination.name, failure))
      }
    }
    if (!options.dryRun) {
      const written = targets.map(({ replica }) => replica)
      const read = sources.replicas.filter((replica) => !written.includes(replica))
      await refuseOnePlace(written, read)
    }
    const damaged = await copyToAll(targets, options, outcomes)
    const inOrder = options.to.map(({ url }) => outcomes.get(url)).filter((outcome) => outcome !== undefined)
    return { destinations: inOrder, damaged, elapsedMs: parts.now() - started }
  } finally {
    await Promise.all(opened.map(({ storage }) => storage.close()))
  }
}

async function copyToAll(
  targets: readonly Target[],
  options: SyncOptions,
  outcomes: Map<string, SyncOutcome>,
): Promise<SyncResult['damaged']> {
  const { signal, onEvent, dryRun } = options
  const totalFiles = targets.reduce((sum, { missing }) => sum + missing.objects, 0)
  const totalBytes = targets.reduce((sum, { missing }) => sum + missing.bytes, 0)
  onEvent?.({ kind: 'planned', totalFiles, totalBytes })
  const done = { files: 0, bytes: 0, errors: 0 }
  const onCopied = ({ key, sizeBytes }: MissingObject) => {
    done.files++
    done.bytes += sizeBytes
    onEvent?.({
      kind: 'progress',
      filesDone: done.files,
      bytesDone: done.bytes,
      storedBytes: done.bytes,
      errors: done.errors,
      current: key,
      totalFiles,
      totalBytes,
    })
  }
  const damaged = new Map<string, string>()
  await Promise.all(
    targets.map(async ({ replica, from, missing }) => {
      const { url: key } = replica.destination
      const { name, url } = shownPlace(replica.destination)
      if (dryRun) {
        const { objects, bytes } = missing
        outcomes.set(key, { name, url, state: objects === 0 ? 'complete' : 'lagging', objects, bytes })
        return
      }
      try {
        const copied = await copyObjects(missing, from, replica.storage, { signal, onCopied })
        for (const one of copied.damaged) damaged.set(one.key, one.message)
        const { objects, bytes } = copied
        const isComplete = copied.damaged.length === 0
        const message = isComplete ? {} : { message: `${copied.damaged.length} objects cannot be read sound anywhere` }
        outcomes.set(key, { name, url, state: isComplete ? 'complete' : 'lagging', objects, bytes, ...message })
      } catch (error) {
        if (signal?.aborted) throw abortError(signal)
        done.errors++
        const failure = asError(error)
        outcomes.set(key, { name, url, state: 'lagging', objects: 0, bytes: 0, message: failure.message })
        onEvent?.(lostEvent(name, failure))
      }
    }),
  )
  return [...damaged].map(([key, message]) => ({ key, message }))
}

/** The place of a new or lagging replica. An empty one is taken only where that was asked for: it may be a disk that is not mounted. */
async function openTarget(destination: Destination, options: SyncOptions, plugins: PluginAccess): Promise<Replica> {
  const { url } = destination
  try {
    const storage = await openStorageAt(plugins, destination)
    try {
      await readDescriptor(url, storage)
      return new Replica(destination, storage)
    } catch (error) {
      if (options.create && !options.dryRun && isBkpError(error, 'no-repository'))
        return new Replica(destination, storage)
      await storage.close()
      throw error
    }
  } catch (error) {
    if (!isBkpError(error, 'no-repository') || !options.create) throw error
    if (options.dryRun) throw error
    return new Replica(destination, await plugins.openStorage(destination, 'create'))
  }
}

async function compare(
  replica: Replica,
  sources: readonly Replica[],
  onFellOver: FellOver,
  signal: AbortSignal | undefined,
): Promise<Target> {
  const others = sources.filter((source) => source !== replica)
  const [first] = others
  if (first === undefined) throw new BkpError('usage', `There is no other destination to bring ${replica.name} up from`)
  const from = new ReplicatedStorage(others, onFellOver, 'of-all')
  await refuseOther(replica, first)
  const missing = await findMissing(from, replica.storage, signal)
  return { replica, from, missing: await besidesSound(missing, replica.storage, signal) }
}

/** @throws BkpError `usage` where another repository lies */
async function refuseOther(replica: Replica, source: Replica): Promise<void> {
  const idAt = async ({ destination, storage }: Replica) => (await readDescriptor(destination.url, storage)).repository
  try {
    const [there, wanted] = await Promise.all([idAt(replica), idAt(source)])
    if (there === wanted) return
  } catch (error) {
    // Nothing is there yet, or what is there is half of a replica that was begun: its descriptor comes last.
    if (isBkpError(error, 'no-repository') || isPortError(error, 'not-found')) return
    throw error
  }
  throw new BkpError('usage', `${replica.name} holds another repository than ${source.name}`, {
    hint: 'Snapshots go to another repository by: bkp copy',
  })
}

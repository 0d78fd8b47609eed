import { isPortError, type Storage, type StoredObject } from '@bkp/plugin-api'
import { type BkpError, damaged, isBkpError } from '../errors/index.js'
import { parseObjectKey, wordsOf } from '../format/ids.js'
import { decodeIndexSegment } from '../format/index-segment.js'
import { parseJsonObject } from '../format/json.js'
import { rowBytes } from '../format/rows.js'
import { type CipherInUse, openObject } from '../format/sealed-object.js'
import { ChunkTable } from './chunk-table.js'
import { lostAmong, type PackTest } from './lost-packs.js'
import type { OpenedRepository } from './opened-repository.js'
import { PackRegistry } from './pack-registry.js'

/** An object that should be sound and is not. */
export interface BrokenObject {
  readonly key: string
  readonly error: BkpError
}

/** All that the index segments say, in memory. */
export interface RepositoryIndex {
  readonly table: ChunkTable
  readonly packs: PackRegistry
  /** Compression ids; position is the number that the table keeps. */
  readonly compressions: string[]
  /** Segments that could not be read; what they say is missing here. */
  readonly broken: readonly BrokenObject[]
  /** Names of the index segments that were read whole. */
  readonly segments: ReadonlySet<string>
  /** Names of packs that prune has condemned; none where nobody wanted to know. */
  readonly condemned: ReadonlySet<string>
  /** Names of packs that segments name and that are gone, as far as anybody looked: what only they held is not in the table. */
  readonly lost: ReadonlySet<string>
}

export interface IndexOptions {
  /** How many blobs a run may add. */
  readonly room: number
  /** Condemned packs are `absent` for writers, `named` beside the index, or `unread`: for readers they are as good as others. */
  readonly condemned: 'absent' | 'named' | 'unread'
  /** Finds out which packs are there, after the segments were listed; without it only those are looked for that share blobs. */
  readonly survey?: () => Promise<PackTest>
  readonly signal?: AbortSignal
}

/** Small objects that are read from a storage at the same time. */
export const readsAtATime = 8

/** Loads the index of a repository. Damaged segments are listed, not thrown. */
export async function loadIndex(
  repository: OpenedRepository,
  cipherFor: (id: string) => CipherInUse,
  options: IndexOptions,
): Promise<RepositoryIndex> {
  const { storage } = repository
  // Before the index: a pack whose condemnation is gone again by now is in no index that is listed later.
  const condemned = options.condemned === 'unread' ? new Set<string>() : await loadCondemned(repository, cipherFor)
  const segments: StoredObject[] = []
  for await (const object of storage.list('index/')) if (parseObjectKey(object.key) !== undefined) segments.push(object)
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  const isThere = await options.survey?.()
  const known = segments.reduce((sum, segment) => sum + Math.ceil(segment.sizeBytes / rowBytes), 0)
  const table = ChunkTable.create(known, options.room)
  const packs = new PackRegistry()
  const compressions = ['none']
  const broken: BrokenObject[] = []
  const sound = new Set<string>()
  const lost = new Set<string>()
  const sharing = new Set<number>()

  const enter = (payload: Uint8Array) =>
    decodeIndexSegment(payload, (pack) => {
      if (options.condemned === 'absent' && condemned.has(pack.name)) return
      if (isThere?.(pack.name, pack.sizeBytes) === false) {
        lost.add(pack.name)
        return
      }
      const numbers = pack.compressionIds.map((name) => numberOf(compressions, name))
      const isNew = !packs.has(pack.name)
      const number = packs.add(pack.name, pack.sizeBytes, pack.kind)
      if (!isNew) return
      table.load(number, wordsOf(pack.rows.bytes), numbers, sharing)
    })

  await forEachAtATime(segments, readsAtATime, async ({ key }) => {
    options.signal?.throwIfAborted()
    const payload = await readSealed(repository, 'index', key, cipherFor, broken)
    if (payload === undefined) return
    try {
      enter(payload)
      sound.add(parseObjectKey(key)?.name as string)
    } catch (error) {
      if (!isBkpError(error, 'damaged')) throw error
      broken.push({ key, error })
    }
  })
  if (isThere === undefined) {
    const gone = await lostAmong(sharing, packs, storage, signal)
    // Once more, without them: what they share with others is found there.
    if (gone.size > 0) {
      const survey = async () => (name: string) => !gone.has(name)
      return loadIndex(repository, cipherFor, { ...options, survey })
    }
  }
  return { table, packs, compressions, broken, segments: sound, condemned, lost }
}

/**
 * Runs an action for each item, for so many of them at the same time. After a failure none is begun any more; nothing is at
 * work any more when this settles.
 * @throws the first failure
 */
export async function forEachAtATime<T>(
  items: readonly T[],
  atATime: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0
  const failures: unknown[] = []
  const work = async (): Promise<void> => {
    try {
      for (let n = next++; n < items.length; n = next++) await action(items[n] as T)
    } catch (error) {
      failures.push(error)
      next = items.length
    }
  }
  await Promise.all(Array.from({ length: Math.min(atATime, items.length) }, work))
  if (failures.length > 0) throw failures[0]
}

/** Reads and opens an object of one part; a damaged one goes to `broken`. */
export async function readSealed(
  repository: Pick<OpenedRepository, 'storage' | 'id' | 'keys'>,
  kind: 'index' | 'snapshot' | 'condemnation' | 'session',
  key: string,
  cipherFor: (id: string) => CipherInUse,
  broken: BrokenObject[],
): Promise<Uint8Array | undefined> {
  try {
    return openObject(kind, repository.id, repository.keys.metadata, cipherFor, await repository.storage.get(key))
  } catch (error) {
    if (isBkpError(error, 'damaged')) broken.push({ key, error })
    else if (isPortError(error, 'corrupt') || isPortError(error, 'not-found'))
      broken.push({ key, error: damaged(error.message, error) })
    else throw error
    return undefined
  }
}

export async function loadCondemned(
  repository: Pick<OpenedRepository, 'storage' | 'id' | 'keys'>,
  cipherFor: (id: string) => CipherInUse,
): Promise<Set<string>> {
  const names = new Set<string>()
  for (const key of await keysOf(repository.storage, 'condemned/')) {
    const broken: BrokenObject[] = []
    const payload = await readSealed(repository, 'condemnation', key, cipherFor, broken)
    if (payload === undefined) continue
    const { packs } = parseJsonObject(payload, 'A condemnation')
    if (Array.isArray(packs)) for (const name of packs) names.add(String(name))
  }
  return names
}

export async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) if (parseObjectKey(key) !== undefined) keys.push(key)
  return keys
}

/** The number of a compression id, entered if it is new. */
export function numberOf(compressions: string[], id: string): number {
  const known = compressions.indexOf(id)
  if (known >= 0) return known
  compressions.push(id)
  return compressions.length - 1
}

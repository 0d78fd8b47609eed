import type { GetOptions, Storage } from '@bkp/plugin-api'
import { objectNameOf, parseObjectKey } from '../format/ids.js'
import { LocalCache } from './local-cache.js'
import type { OpenedRepository } from './opened-repository.js'
import { withOtherCalls } from './with-other-calls.js'

/** Small objects that nearly every command reads. They are named by their SHA-256, so that a copy is as good as the object. */
const keptFamilies: readonly string[] = ['index', 'snapshots']
const mostObjects = 20_000

/**
 * A repository whose small objects are kept on this machine, unless it is on this machine itself.
 * @param cacheDirectory of all repositories; nothing is kept without
 */
export function keepObjects(
  repository: OpenedRepository,
  cacheDirectory: string | undefined,
  now: () => number,
): OpenedRepository {
  if (cacheDirectory === undefined || repository.storage.capabilities.isLocal) return repository
  const cache = new LocalCache(cacheDirectory, `${repository.id}-objects`, now, mostObjects)
  return { ...repository, storage: cachingObjects(repository.storage, cache) }
}

/**
 * A storage that keeps what is small and never changes on this machine, sealed as it is: a network gives it once. What there
 * is, is still what the storage lists; whoever has to know how it is there reads the storage itself.
 */
export function cachingObjects(storage: Storage, cache: LocalCache): Storage {
  const writing = new Map<string, { readonly bytes: Uint8Array; readonly written: Promise<void> }>()
  return withOtherCalls(storage, {
    async get(key, options) {
      const name = nameToKeep(key, options)
      if (name === undefined) return storage.get(key, options)
      const kept = writing.get(name)?.bytes ?? (await cache.read(name))
      if (kept !== undefined && objectNameOf(kept) === name) return kept
      const bytes = await storage.get(key, options)
      writing.set(name, { bytes, written: cache.write(name, [bytes]).finally(() => writing.delete(name)) })
      return bytes
    },
    async close() {
      await Promise.all([...writing.values()].map(({ written }) => written))
      await storage.close()
    },
  })
}

function nameToKeep(key: string, { offset, length, into }: GetOptions = {}): string | undefined {
  const isWhole = offset === undefined && length === undefined && into === undefined
  const parsed = isWhole ? parseObjectKey(key) : undefined
  return parsed !== undefined && keptFamilies.includes(parsed.family) ? parsed.name : undefined
}

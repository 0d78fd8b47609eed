import { type CallOptions, isPortError, type Storage } from '@bkp/plugin-api'
import { packKey, parseObjectKey } from '../format/ids.js'
import type { PackRegistry } from './pack-registry.js'

/** With more packs to ask for, a list of all is quicker. */
const mostAskedFor = 32

/** Whether a pack is there, in the size that the index says. */
export type PackTest = (name: string, sizeBytes: number) => boolean

/** Packs of a storage with their sizes in bytes, by name. */
export async function listPacks(storage: Storage, options: CallOptions = {}): Promise<Map<string, number>> {
  const packs = new Map<string, number>()
  for await (const { key, sizeBytes } of storage.list('packs/', options)) {
    const name = parseObjectKey(key)?.name
    if (name !== undefined) packs.set(name, sizeBytes)
  }
  return packs
}

/**
 * Which of the packs that share blobs with others are gone, so that the others are read.
 * @param shared numbers of packs
 */
export async function lostAmong(
  shared: ReadonlySet<number>,
  packs: PackRegistry,
  storage: Storage,
  options: CallOptions,
): Promise<ReadonlySet<string>> {
  if (shared.size === 0) return new Set()
  const stored =
    shared.size > mostAskedFor ? await listPacks(storage, options) : await askFor(shared, packs, storage, options)
  const lost = [...shared].filter((pack) => stored.get(packs.nameOf(pack)) !== packs.sizeOf(pack))
  return new Set(lost.map((pack) => packs.nameOf(pack)))
}

async function askFor(
  wanted: ReadonlySet<number>,
  packs: PackRegistry,
  storage: Storage,
  options: CallOptions,
): Promise<ReadonlyMap<string, number | undefined>> {
  const names = [...wanted].map((pack) => packs.nameOf(pack))
  return new Map(
    await Promise.all(names.map(async (name) => [name, await sizeOf(storage, packKey(name), options)] as const)),
  )
}

async function sizeOf(storage: Storage, key: string, options: CallOptions): Promise<number | undefined> {
  try {
    return (await storage.stat(key, options)).sizeBytes
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}

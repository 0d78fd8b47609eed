import { isPortError, type Storage } from '@bkp/plugin-api'
import { packKey, parseObjectKey } from '../format/ids.js'
import type { PackRegistry } from './pack-registry.js'

/** With more packs to ask for, a list of all is quicker. */
const mostAskedFor = 32

/** Whether a pack is there, in the size that the index says. */
export type PackTest = (name: string, sizeBytes: number) => boolean

/** Packs of a storage with their sizes in bytes, by name. */
export async function listPacks(
  storage: Storage,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Map<string, number>> {
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
  options: { readonly signal?: AbortSignal },
): Promise<ReadonlySet<string>> {
  if (shared.size === 0) return new Set()
  const isThere = await testFor(shared, packs, storage, options)
  const lost = [...shared].filter((pack) => !isThere(packs.nameOf(pack), packs.sizeOf(pack)))
  return new Set(lost.map((pack) => packs.nameOf(pack)))
}

async function testFor(
  shared: ReadonlySet<number>,
  packs: PackRegistry,
  storage: Storage,
  options: { readonly signal?: AbortSignal },
): Promise<PackTest> {
  if (shared.size > mostAskedFor) {
    const stored = await listPacks(storage, options)
    return (name, sizeBytes) => stored.get(name) === sizeBytes
  }
  const stored = new Map<string, number>()
  await Promise.all(
    [...shared].map(async (pack) => {
      const name = packs.nameOf(pack)
      const size = await sizeOf(storage, packKey(name), options)
      if (size !== undefined) stored.set(name, size)
    }),
  )
  return (name, sizeBytes) => stored.get(name) === sizeBytes
}

async function sizeOf(
  storage: Storage,
  key: string,
  options: { readonly signal?: AbortSignal },
): Promise<number | undefined> {
  try {
    return (await storage.stat(key, options)).sizeBytes
  } catch (error) {
    if (isPortError(error, 'not-found')) return undefined
    throw error
  }
}

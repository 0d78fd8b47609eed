import { createHash } from 'node:crypto'
import type { Storage } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { IntegrityStorage } from '../../../ports/integrity.js'
import { Replica } from '../replica.js'

/** A replica over a storage, read as core reads: what is named by its SHA-256 is verified. */
export function replicaOf(name: string, storage: Storage = new InMemoryStorage()): Replica {
  return new Replica({ name, url: `memory:${name}` }, new IntegrityStorage(storage))
}

/** An object whose name is right: a key of a family and its bytes. */
export function objectOf(family: 'packs' | 'index' | 'snapshots', text: string): { key: string; bytes: Uint8Array } {
  const bytes = Buffer.from(text)
  const name = createHash('sha256').update(bytes).digest('hex')
  return { key: family === 'packs' ? `packs/${name.slice(0, 2)}/${name}` : `${family}/${name}`, bytes }
}

export async function keysIn(storage: Storage, prefix = ''): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}

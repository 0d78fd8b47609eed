import { hkdfSync } from 'node:crypto'
import { toHex } from './ids.js'

/** The keys of a repository, 32 bytes each, derived from its master key. */
export interface RepositoryKeys {
  readonly descriptor: Uint8Array
  readonly blobId: Uint8Array
  readonly chunker: Uint8Array
  readonly data: Uint8Array
  readonly metadata: Uint8Array
}

/** @param repositoryId 32 hex digits */
export function deriveKeys(masterKey: Uint8Array, repositoryId: string): RepositoryKeys {
  const salt = Buffer.from(repositoryId, 'hex')
  const derive = (purpose: string) => new Uint8Array(hkdfSync('sha256', masterKey, salt, `bkp/v1/${purpose}`, 32))
  return {
    descriptor: derive('descriptor'),
    blobId: derive('blob-id'),
    chunker: derive('chunker'),
    data: derive('data'),
    metadata: derive('metadata'),
  }
}

/** The 256 random words of the chunker. */
export function gearTable(chunkerKey: Uint8Array): Uint32Array {
  const bytes = new DataView(hkdfSync('sha256', chunkerKey, new Uint8Array(0), 'bkp/v1/gear', 1024))
  return Uint32Array.from({ length: 256 }, (_, index) => bytes.getUint32(index * 4, true))
}

/** For tests and vectors. */
export function keysAsHex(keys: RepositoryKeys): Record<string, string> {
  return Object.fromEntries(Object.entries(keys).map(([name, key]) => [name, toHex(key as Uint8Array)]))
}

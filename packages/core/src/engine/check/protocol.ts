import type { RepositoryKeys } from '../../format/subkeys.js'
import type { ChunkTableHandle } from '../../repository/chunk-table.js'
import type { CodecDescriptors } from '../../repository/codecs.js'

export interface CheckSetup {
  readonly repositoryId: string
  readonly keys: RepositoryKeys
  readonly table: ChunkTableHandle
  readonly codecs: CodecDescriptors
}

export interface ToCheckWorker {
  readonly kind: 'pack'
  readonly pack: number
  /** Hex SHA-256 that the bytes must have. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface FromCheckWorker {
  readonly kind: 'checked'
  readonly pack: number
  readonly blobs: number
  readonly bytes: number
  /** What is wrong with the pack, for people; empty when it is sound. */
  readonly faults: readonly string[]
  /** Table entries whose blob cannot be read. */
  readonly badEntries: Uint32Array
}

import type { RepositoryKeys } from '../../format/subkeys.js'
import type { ChunkTableHandle } from '../../repository/chunk-table.js'
import type { CodecDescriptors } from '../../repository/codecs.js'
import type { PackKind } from '../../repository/pack-registry.js'

/** What a thread needs of one of the two repositories. */
export interface CopySide {
  readonly repositoryId: string
  readonly keys: RepositoryKeys
  readonly table: ChunkTableHandle
  readonly codecs: CodecDescriptors
}

/** All that a copy worker needs; sent once. */
export interface CopySetup {
  readonly source: CopySide
  readonly target: CopySide
  /** Position in the target's compressions for new blobs. */
  readonly compression: number
  readonly cipherId: string
  /** Whether packs are made in shared memory. */
  readonly sharesPacks: boolean
  /** The memory of the {@link IdMap}. */
  readonly map: SharedArrayBuffer
}

/** A blob of the source that could not be read sound. */
export interface BlobFault {
  /** Its entry in the source's table. */
  readonly entry: number
  readonly message: string
}

export type ToCopyWorker =
  /** A pack of the source, or the needed parts of it at their places, in shared memory; the entries are data blobs in it. */
  | { readonly kind: 'data'; readonly load: number; readonly bytes: Uint8Array; readonly entries: Uint32Array }
  /** Trees and lists as pairs of table entry and type, whatever one names before it. */
  | { readonly kind: 'structure'; readonly rows: Uint32Array }
  | { readonly kind: 'pack'; readonly pack: number; readonly bytes: Uint8Array | undefined; readonly message: string }
  /** The memory of a pack that is stored, to be used again. */
  | { readonly kind: 'recycled'; readonly memory: Uint8Array }
  | { readonly kind: 'flush' }

export type FromCopyWorker =
  | { readonly kind: 'data-done'; readonly load: number; readonly faults: readonly BlobFault[] }
  | { readonly kind: 'structure-done'; readonly fault: BlobFault | undefined }
  | { readonly kind: 'fetch'; readonly pack: number }
  | {
      readonly kind: 'stored'
      readonly name: string
      readonly packKind: PackKind
      readonly bytes: Uint8Array
      readonly rows: Uint8Array
      readonly compressionIds: readonly string[]
    }
  | { readonly kind: 'flushed' }

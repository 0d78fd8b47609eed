import { type FileReader, isPortError, type SourceEntry } from '@bkp/plugin-api'
import type { EntryContent } from '../../format/tree-writer.js'
import type { IssueKind } from '../api.js'
import { type BlobWriter, blobType } from './blob-writer.js'
import type { FileChunker } from './file-chunker.js'
import { IdList } from './id-list.js'
import type { BackupTaskResult } from './protocol.js'

/** A file's content as its tree entry needs it. `undefined` when the file was gone. */
export type SavedContent = EntryContent | undefined

export interface FileSaverParts {
  readonly chunker: FileChunker
  readonly writer: BlobWriter
  /** Told of all bytes of every file, holes and further names included: what a later run adds up from sizes. */
  readonly onBytes: (bytes: number) => void
}

// Hard links of large trees (package stores) are read once; the map is bounded because inodes are many.
const maxRememberedLinks = 100_000

/** Reads files and stores their chunks. A file that cannot be read becomes an issue, never an exception. */
export class FileSaver {
  readonly #parts: FileSaverParts
  readonly #ids = new IdList()
  readonly #links = new Map<string, EntryContent>()

  constructor(parts: FileSaverParts) {
    this.#parts = parts
  }

  async save(
    entry: SourceEntry,
    open: () => FileReader | Promise<FileReader>,
    issue: (kind: IssueKind, message: string) => void,
  ): Promise<SavedContent> {
    const link =
      entry.linkCount > 1 ? `${entry.device}:${entry.inode}:${entry.ctimeSeconds}:${entry.ctimeNanoseconds}` : undefined
    const known = link === undefined ? undefined : this.#links.get(link)
    if (known !== undefined) {
      this.#parts.onBytes(entry.sizeBytes)
      return known
    }
    const content = await this.#read(open, issue)
    const isSound = content !== undefined && !content.changed && content.error === undefined
    if (link !== undefined && isSound && this.#links.size < maxRememberedLinks) this.#links.set(link, content)
    return content
  }

  /** One range of a large file, read as if it were a file. */
  async saveRange(open: () => FileReader | Promise<FileReader>): Promise<BackupTaskResult & { kind: 'range' }> {
    try {
      const { bytes, changed } = await this.#chunks(open)
      return { kind: 'range', ids: this.#ids.copy(), bytes, changed, error: undefined }
    } catch (error) {
      if (isFatal(error)) throw error
      return { kind: 'range', ids: new Uint8Array(0), bytes: 0, changed: false, error: reasonOf(error) }
    }
  }

  /** Joins the ranges of a large file. */
  join(
    ranges: readonly (BackupTaskResult & { kind: 'range' })[],
    issue: (kind: IssueKind, message: string) => void,
  ): EntryContent {
    const error = ranges.find((range) => range.error !== undefined)?.error
    if (error !== undefined) {
      issue('unreadable', error)
      return { error }
    }
    const ids = new IdList()
    for (const range of ranges) ids.appendAll(range.ids)
    const changed = ranges.some((range) => range.changed)
    if (changed) issue('changed', changedMessage)
    const depth = this.#parts.writer.fold(ids)
    return { ids: ids.copy(), depth, changed, sizeBytes: ranges.reduce((sum, range) => sum + range.bytes, 0) }
  }

  async #read(
    open: () => FileReader | Promise<FileReader>,
    issue: (kind: IssueKind, message: string) => void,
  ): Promise<SavedContent> {
    try {
      const { bytes, changed, extents, sizeBytes } = await this.#chunks(open)
      if (changed) issue('changed', changedMessage)
      const depth = this.#parts.writer.fold(this.#ids)
      const ids = this.#ids.copy()
      if (extents === undefined) return { ids, depth, changed, sizeBytes: bytes }
      const expected = extents.reduce((sum, extent) => sum + extent.length, 0)
      if (bytes === expected) {
        // Holes count as well, as they do for a file that is not read again.
        this.#parts.onBytes(sizeBytes - expected)
        return { ids, depth, changed, sizeBytes, extents }
      }
      const error = `the file shrank while it was read: ${bytes} of ${expected} bytes`
      issue('changed', error)
      return { error }
    } catch (error) {
      if (isFatal(error)) throw error
      if (isPortError(error, 'not-found')) {
        issue('vanished', reasonOf(error))
        return undefined
      }
      issue('unreadable', reasonOf(error))
      return { error: reasonOf(error) }
    }
  }

  async #chunks(open: () => FileReader | Promise<FileReader>) {
    const { chunker, writer, onBytes } = this.#parts
    const ids = this.#ids
    ids.clear()
    const opening = open()
    const reader = opening instanceof Promise ? await opening : opening
    const { extents, sizeBytes } = reader
    let bytes = 0
    try {
      bytes = await chunker.read(reader, (chunk) => {
        writer.store(blobType.data, chunk, ids)
        onBytes(chunk.length)
      })
    } catch (error) {
      await reader.close()
      throw error
    }
    const closing = reader.close()
    const outcome = typeof closing === 'string' ? closing : await closing
    return { bytes, changed: outcome === 'changed', extents, sizeBytes }
  }
}

const changedMessage = 'the file changed while it was read; what was read is stored, and the next run reads it again'

/** What is not about one file and must end the run. */
function isFatal(error: unknown): boolean {
  return isPortError(error) ? error.code === 'config' || error.code === 'unsupported' : !isSystemError(error)
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === 'string'
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

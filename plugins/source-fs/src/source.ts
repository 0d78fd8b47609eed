import { constants, fstatSync, readdirSync, readSync } from 'node:fs'
import {
  type ByteRange,
  type DirectoryReader,
  type EntryDetails,
  type Extent,
  type FileReader,
  type PackedListing,
  PortError,
  type ReadOutcome,
  type Source,
  type SourceEntry,
  type SourceErrorEntry,
} from '@bkp/plugin-api'
import { closeDescriptor, type Descriptor, openEntry } from './descriptor.js'
import { DirectoryPacker } from './directory-packer.js'
import { Describer, entryOf, inspectPath } from './entry.js'
import { guard, toPortError } from './errors.js'
import type { Libc } from './libc.js'
import { NativeDirectories, type OpenStats } from './native-directory.js'
import { closeDirectory, inside, type OpenDirectory, openPath } from './place.js'

/** Reads real files. Synchronous: it runs in worker threads, where that is fastest. */
export class FileSystemSource implements Source {
  readonly #libc: Libc | undefined
  readonly #describer: Describer
  readonly #native: NativeDirectories | undefined
  readonly #packer: DirectoryPacker | undefined

  constructor(libc: Libc | undefined) {
    this.#libc = libc
    this.#describer = new Describer(libc)
    this.#native = libc === undefined ? undefined : new NativeDirectories(libc)
    this.#packer = libc === undefined ? undefined : new DirectoryPacker(libc)
  }

  inspect(path: Uint8Array): SourceEntry {
    return this.#at(path, (place, name) => inspectPath(place, name))
  }

  describe(path: Uint8Array, entry: SourceEntry): EntryDetails {
    return this.#at(path, (place) => this.#describer.describe(place, entry))
  }

  openFile(path: Uint8Array, entry: SourceEntry, range?: ByteRange): FileReader {
    return this.#at(path, (place) => {
      const file = openForReading(anywhere, place, this.#libc)
      return new OpenFile(file, entry, range, this.#libc, this.#native)
    })
  }

  openDirectory(path: Uint8Array): DirectoryReader {
    const directory = guard([path], () => openPath(path, this.#libc))
    return new FileSystemDirectory(directory, path, this.#describer, this.#libc, this.#native, this.#packer)
  }

  close(): void {
    // Nothing outlives the readers.
  }

  #at<T>(path: Uint8Array, action: (place: Buffer, name: Uint8Array) => T): T {
    const bytes = Buffer.from(path)
    const slash = bytes.lastIndexOf(0x2f)
    const name = bytes.subarray(slash + 1)
    return guard([path], () => {
      if (name.length === 0 || bytes.length < 3800) return action(bytes, name)
      const directory = openPath(bytes.subarray(0, slash))
      try {
        return action(inside(directory, name), name)
      } finally {
        closeDirectory(directory)
      }
    })
  }
}

class FileSystemDirectory implements DirectoryReader {
  readonly #directory: OpenDirectory
  readonly #path: Uint8Array
  readonly #describer: Describer
  readonly #libc: Libc | undefined
  readonly #native: NativeDirectories | undefined
  readonly #packer: DirectoryPacker | undefined

  constructor(
    directory: OpenDirectory,
    path: Uint8Array,
    describer: Describer,
    libc: Libc | undefined,
    native: NativeDirectories | undefined,
    packer: DirectoryPacker | undefined,
  ) {
    this.#native = native
    this.#packer = packer
    this.#directory = directory
    this.#path = path
    this.#describer = describer
    this.#libc = libc
  }

  get self(): SourceEntry {
    const { descriptor, prefix } = this.#directory
    const stats = descriptor === undefined ? undefined : fstatSync(descriptor, { bigint: true })
    return stats === undefined
      ? inspectPath(prefix.subarray(0, -1), new Uint8Array(0))
      : entryOf(stats, new Uint8Array(0))
  }

  list(): readonly (SourceEntry | SourceErrorEntry)[] {
    const { descriptor } = this.#directory
    const native = this.#native
    if (native !== undefined && descriptor !== undefined) return guard([this.#path], () => native.list(descriptor))
    const names = guard([this.#path], () => readdirSync(this.#directory.prefix, { encoding: 'buffer' }))
    return names.map((name) => {
      try {
        return inspectPath(inside(this.#directory, name), name)
      } catch (error) {
        const failure = toPortError(error, name.toString())
        return { kind: 'error', name, message: failure.message, vanished: failure.code === 'not-found' }
      }
    })
  }

  listPacked(): PackedListing | undefined {
    const { descriptor } = this.#directory
    return descriptor === undefined ? undefined : this.#packer?.pack(descriptor)
  }

  describe(entry: SourceEntry): EntryDetails {
    return guard([entry.name], () => this.#describer.describe(inside(this.#directory, entry.name), entry))
  }

  openFile(entry: SourceEntry, range?: ByteRange): FileReader {
    return guard([entry.name], () => {
      const file = openForReading(this.#directory, entry.name, this.#libc)
      this.#describer.noteOpen(file.number, entry)
      return new OpenFile(file, entry, range, this.#libc, this.#native)
    })
  }

  close(): void {
    closeDirectory(this.#directory)
  }
}

// NONBLOCK: a FIFO put in the place of a file must not hang the run. NOATIME: reading must not dirty the source.
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
const seekData = 3
/** What absolute paths are opened inside of. */
const anywhere: OpenDirectory = { descriptor: undefined, prefix: Buffer.alloc(0) }
const seekHole = 4

class OpenFile implements FileReader {
  readonly extents: readonly Extent[] | undefined
  readonly sizeBytes: number
  readonly #descriptor: Descriptor
  readonly #file: number
  readonly #listed: SourceEntry
  #position: number
  #extent = 0
  readonly #end: number
  readonly #native: NativeDirectories | undefined

  constructor(
    file: Descriptor,
    listed: SourceEntry,
    range: ByteRange | undefined,
    libc: Libc | undefined,
    native: NativeDirectories | undefined,
  ) {
    this.#listed = listed
    this.#descriptor = file
    this.#file = file.number
    this.#native = native
    try {
      const { entry, blocks } = this.#stats()
      if (entry.kind !== 'file' || entry.inode !== listed.inode) {
        throw new PortError('not-found', 'it was replaced by something else while the backup ran')
      }
      const size = entry.sizeBytes
      const isSparse = blocks * 512 < size
      this.extents =
        isSparse && range === undefined && libc !== undefined ? findExtents(libc, this.#file, size) : undefined
      this.sizeBytes = range === undefined ? size : range.length
      this.#position = range?.offset ?? 0
      this.#end = range === undefined ? Number.POSITIVE_INFINITY : range.offset + range.length
    } catch (error) {
      closeDescriptor(this.#descriptor)
      throw error
    }
  }

  read(into: Uint8Array): number {
    if (this.extents !== undefined) return this.#readExtents(into, this.extents)
    const length = Math.min(into.length, this.#end - this.#position)
    if (length === 0) return 0
    const count = guard('cannot be read', () => readSync(this.#file, into, 0, length, this.#position))
    this.#position += count
    return count
  }

  close(): ReadOutcome {
    try {
      const { entry: now } = this.#stats()
      const isStable =
        now.sizeBytes === this.#listed.sizeBytes &&
        now.mtimeSeconds === this.#listed.mtimeSeconds &&
        now.mtimeNanoseconds === this.#listed.mtimeNanoseconds
      return isStable ? 'stable' : 'changed'
    } finally {
      closeDescriptor(this.#descriptor)
    }
  }

  #stats(): OpenStats {
    if (this.#native !== undefined) return this.#native.statsOf(this.#file, this.#listed.name)
    const stats = fstatSync(this.#file, { bigint: true })
    return { entry: entryOf(stats, this.#listed.name), blocks: Number(stats.blocks) }
  }

  #readExtents(into: Uint8Array, extents: readonly Extent[]): number {
    for (;;) {
      const extent = extents[this.#extent]
      if (extent === undefined) return 0
      if (this.#position < extent.offset) this.#position = extent.offset
      const length = Math.min(into.length, extent.offset + extent.length - this.#position)
      if (length > 0) {
        const count = guard('cannot be read', () => readSync(this.#file, into, 0, length, this.#position))
        this.#position += count
        return count
      }
      this.#extent++
    }
  }
}

function openForReading(directory: OpenDirectory, name: Uint8Array, libc: Libc | undefined): Descriptor {
  try {
    return openEntry(directory, name, readFlags | (constants.O_NOATIME ?? 0), 0, libc)
  } catch (error) {
    // Only the owner and root may ask for NOATIME.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
    return openEntry(directory, name, readFlags, 0, libc)
  }
}

/** Where a sparse file has data; undefined when the file system does not tell. */
function findExtents(libc: Libc, file: number, size: number): readonly Extent[] | undefined {
  const extents: Extent[] = []
  for (let at = 0; at < size; ) {
    const data = libc.lseek(file, at, seekData)
    if (data < 0) {
      if (libc.lastError() !== 'ENXIO') return undefined
      break
    }
    // The file has grown since its size was asked for; what is behind belongs to the next run.
    if (data >= size) break
    const hole = libc.lseek(file, data, seekHole)
    if (hole < 0) return undefined
    extents.push({ offset: data, length: Math.min(hole, size) - data })
    at = hole
  }
  return extents
}

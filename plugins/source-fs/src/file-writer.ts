import { constants, fchmodSync, fchownSync, ftruncateSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import type { TargetEntry, TargetFile } from '@bkp/plugin-api'
import { closeDescriptor, type Descriptor, openEntry } from './descriptor.js'
import type { DirectoryCache } from './directory-cache.js'
import { guard } from './errors.js'
import type { Libc } from './libc.js'
import type { MetadataWriter } from './metadata-writer.js'
import { checkName, type TemporaryNames } from './names.js'
import { inside, type OpenDirectory, withNul } from './place.js'

interface WrittenFile {
  readonly path: readonly Uint8Array[]
  readonly directory: readonly Uint8Array[]
  readonly temporary: Buffer
  readonly sizeBytes: number
  /** Undefined while it is closed to spare descriptors. */
  open: Descriptor | undefined
  /** End of what was written. */
  end: number
}

/** Files that are held open at a time. */
const maxOpenFiles = 64

/** Writes contents of files aside, and puts each in its place when it is whole. */
export class FileWriter {
  readonly #directories: DirectoryCache
  readonly #names: TemporaryNames
  readonly #libc: Libc | undefined
  readonly #metadata: MetadataWriter
  readonly #files = new Map<TargetFile, WrittenFile>()
  readonly #giving = new WeakMap<OpenDirectory, boolean>()
  #lastFile = 0
  #openFiles = 0

  constructor(directories: DirectoryCache, names: TemporaryNames, metadata: MetadataWriter, libc: Libc | undefined) {
    this.#directories = directories
    this.#names = names
    this.#metadata = metadata
    this.#libc = libc
  }

  begin(path: readonly Uint8Array[], sizeBytes: number): TargetFile {
    const directory = path.slice(0, -1)
    checkName(path.at(-1))
    const file = ++this.#lastFile
    const temporary = this.#names.next()
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)
    const open = guard(path, () => openEntry(this.#directories.open(directory), temporary, flags, 0o600, this.#libc))
    this.#files.set(file, { path, directory, temporary, sizeBytes, open, end: 0 })
    this.#openFiles++
    this.#limitOpenFiles(file)
    return file
  }

  write(file: TargetFile, data: Uint8Array, position: number): void {
    const written = this.#file(file)
    guard(written.path, () => {
      const descriptor = this.#descriptor(file, written)
      written.end = Math.max(written.end, position + data.length)
      for (let done = 0; done < data.length; )
        done += writeSync(descriptor, data, done, data.length - done, position + done)
    })
  }

  commit(file: TargetFile, entry: TargetEntry): readonly string[] {
    const written = this.#file(file)
    const problems: string[] = []
    try {
      guard(written.path, () => {
        const descriptor = this.#descriptor(file, written)
        const directory = this.#directories.open(written.directory)
        if (written.end !== written.sizeBytes) ftruncateSync(descriptor, written.sizeBytes)
        const mode = this.#metadata.setOwner(entry, problems, (uid, gid) => fchownSync(descriptor, uid, gid))
        if (entry.details.xattrs !== undefined || this.#gives(directory))
          this.#metadata.setXattrs(inside(directory, written.temporary), entry, problems, descriptor)
        fchmodSync(descriptor, mode)
        this.#metadata.setFileTimes(descriptor, inside(directory, written.temporary), entry, problems)
        this.#rename(directory, written.temporary, written.path.at(-1) as Uint8Array)
      })
    } catch (error) {
      this.abort(file)
      throw error
    }
    this.#files.delete(file)
    this.#close(written)
    return problems
  }

  abort(file: TargetFile): void {
    const written = this.#files.get(file)
    if (written === undefined) return
    this.#files.delete(file)
    this.#close(written)
    guard(written.path, () => unlinkSync(inside(this.#directories.open(written.directory), written.temporary)))
  }

  close(): void {
    for (const file of [...this.#files.keys()]) this.abort(file)
  }

  #rename(directory: OpenDirectory, from: Uint8Array, to: Uint8Array): void {
    const { descriptor } = directory
    if (this.#libc !== undefined && descriptor !== undefined) {
      if (this.#libc.renameat(descriptor, withNul(from), descriptor, withNul(to)) === 0) return
    }
    // Node's own call gives the error its full text.
    renameSync(inside(directory, from), inside(directory, to))
  }

  #file(file: TargetFile): WrittenFile {
    const written = this.#files.get(file)
    if (written === undefined) throw new RangeError(`File ${file} is not being written`)
    return written
  }

  #descriptor(file: TargetFile, written: WrittenFile): number {
    if (written.open === undefined) {
      const directory = this.#directories.open(written.directory)
      const flags = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0)
      written.open = openEntry(directory, written.temporary, flags, 0, this.#libc)
      this.#openFiles++
      this.#limitOpenFiles(file)
    }
    return written.open.number
  }

  #close(written: WrittenFile): void {
    if (written.open === undefined) return
    closeDescriptor(written.open)
    written.open = undefined
    this.#openFiles--
  }

  #limitOpenFiles(latest: TargetFile): void {
    if (this.#openFiles <= maxOpenFiles) return
    for (const [file, written] of this.#files) {
      if (file === latest || written.open === undefined) continue
      this.#close(written)
      return
    }
  }

  /** Whether a new file in a directory has extended attributes that nobody gave it. */
  #gives(directory: OpenDirectory): boolean {
    let gives = this.#giving.get(directory)
    if (gives === undefined) {
      gives = this.#metadata.hasDefaultAcl(directory)
      this.#giving.set(directory, gives)
    }
    return gives
  }
}

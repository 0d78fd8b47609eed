import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import {
  PortError,
  type SourceEntry,
  type Target,
  type TargetEntry,
  type TargetFile,
  type TargetRequest,
} from '@bkp/plugin-api'
import { closeDescriptor, type Descriptor, openEntry } from './descriptor.js'
import { DirectoryCache } from './directory-cache.js'
import { inspectPath } from './entry.js'
import { guard, toPortError } from './errors.js'
import type { Libc } from './libc.js'
import { MetadataWriter } from './metadata-writer.js'
import { inside, type OpenDirectory, withNul } from './place.js'
import { makeFolder, makeSymlink, requireUse, unlinkIfThere } from './presence.js'

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
const temporaryPattern = /^\.bkp-[0-9a-f]+(?:-\d+)?-\d+\.tmp$/
const setIds = 0o6000
const [dot, slash, backslash, colon] = [0x2e, 0x2f, 0x5c, 0x3a]
const isWindows = process.platform === 'win32'

/** Writes files back, never through a symlink and never outside the root. */
export class FileSystemTarget implements Target {
  readonly #directories: DirectoryCache
  readonly #runId: string
  readonly #libc: Libc | undefined
  readonly #metadata: MetadataWriter
  readonly #files = new Map<TargetFile, WrittenFile>()
  readonly #giving = new WeakMap<OpenDirectory, boolean>()
  #lastFile = 0
  #openFiles = 0

  constructor({ root, runId, readOnly }: TargetRequest, libc: Libc | undefined) {
    if (!readOnly) {
      guard(root, () => mkdirSync(root, { recursive: true }))
      guard(root, () => requireUse(root))
    }
    this.#directories = guard(root, () => new DirectoryCache(root))
    this.#runId = runId
    this.#libc = libc
    this.#metadata = new MetadataWriter(libc)
  }

  inspect(path: readonly Uint8Array[]): SourceEntry | undefined {
    try {
      return this.#at(path, (place, name) => inspectPath(place, name))
    } catch (error) {
      if (error instanceof PortError && error.code === 'not-found') return undefined
      throw error
    }
  }

  list(path: readonly Uint8Array[]): Uint8Array[] {
    return guard(path, () => {
      const names = readdirSync(this.#directories.open(path).prefix, { encoding: 'buffer' })
      return names.filter((name) => !temporaryPattern.test(name.toString('latin1')))
    })
  }

  remove(path: readonly Uint8Array[]): void {
    // A stack of our own: what is removed may be thousands of levels deep.
    const stack = [{ path, isEmptied: false }]
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const { path: current, isEmptied } = top
      this.#directories.forget(current)
      // Each time from its place: the descriptor that led there may have been closed, and be another directory's now.
      const isGone = this.#at(current, (place, name) => {
        if (isEmptied) rmdirSync(place)
        else if (inspectPath(place, name).kind !== 'directory') unlinkSync(place)
        else return false
        return true
      })
      if (isGone) stack.pop()
      else {
        top.isEmptied = true
        const { prefix } = guard(current, () => this.#directories.open(current))
        for (const child of readdirSync(prefix, { encoding: 'buffer' }))
          stack.push({ path: [...current, child], isEmptied: false })
      }
    }
  }

  makeDirectory(path: readonly Uint8Array[]): void {
    if (path.length > 0 && this.#at(path, makeFolder)) return
    // Opening refuses a symlink or anything else that is not a directory.
    guard(path, () => this.#sweep(this.#directories.open(path)))
  }

  finishDirectory(path: readonly Uint8Array[], entry: TargetEntry): readonly string[] {
    return guard(path, () => {
      const { descriptor, prefix } = this.#directories.open(path)
      const place = descriptor === undefined ? prefix : Buffer.from(`/proc/self/fd/${descriptor}/.`)
      const problems: string[] = []
      const isOwned = this.#metadata.setOwner(entry, problems, (uid, gid) =>
        descriptor === undefined ? lchownSync(place, uid, gid) : fchownSync(descriptor, uid, gid),
      )
      this.#metadata.setXattrs(place, entry, problems, descriptor)
      const mode = isOwned ? entry.mode : entry.mode & ~setIds
      if (descriptor === undefined) chmodSync(place, mode)
      else fchmodSync(descriptor, mode)
      this.#metadata.setTimes(place, entry, problems)
      return problems
    })
  }

  beginFile(path: readonly Uint8Array[], sizeBytes: number): TargetFile {
    const directory = path.slice(0, -1)
    checkName(path.at(-1))
    const file = ++this.#lastFile
    const temporary = Buffer.from(`.bkp-${this.#runId}-${file}.tmp`)
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

  commitFile(file: TargetFile, entry: TargetEntry): readonly string[] {
    const written = this.#file(file)
    const problems: string[] = []
    try {
      guard(written.path, () => {
        const descriptor = this.#descriptor(file, written)
        const directory = this.#directories.open(written.directory)
        if (written.end !== written.sizeBytes) ftruncateSync(descriptor, written.sizeBytes)
        const isOwned = this.#metadata.setOwner(entry, problems, (uid, gid) => fchownSync(descriptor, uid, gid))
        if (entry.details.xattrs !== undefined || this.#gives(directory))
          this.#metadata.setXattrs(inside(directory, written.temporary), entry, problems, descriptor)
        fchmodSync(descriptor, isOwned ? entry.mode : entry.mode & ~setIds)
        this.#metadata.setFileTimes(descriptor, inside(directory, written.temporary), entry, problems)
        this.#rename(directory, written.temporary, written.path.at(-1) as Uint8Array)
      })
    } catch (error) {
      this.abortFile(file)
      throw error
    }
    this.#files.delete(file)
    this.#close(written)
    return problems
  }

  abortFile(file: TargetFile): void {
    const written = this.#files.get(file)
    if (written === undefined) return
    this.#files.delete(file)
    this.#close(written)
    guard(written.path, () => unlinkSync(inside(this.#directories.open(written.directory), written.temporary)))
  }

  makeSpecial(path: readonly Uint8Array[], entry: TargetEntry): readonly string[] {
    const problems: string[] = []
    // A symlink is whole as soon as it is there; only where something else is, the new one has to come from aside.
    if (entry.kind === 'symlink' && this.#at(path, (place) => this.#makeNode(place, entry, problems))) return problems
    const hasBeenMade = this.#putInPlace(path, (temporary) => this.#makeNode(temporary, entry, problems))
    return hasBeenMade ? problems : [...problems, `a ${entry.kind} cannot be made here`]
  }

  makeHardLink(path: readonly Uint8Array[], existing: readonly Uint8Array[]): void {
    this.#at(existing, (from) =>
      this.#putInPlace(path, (temporary) => {
        linkSync(from, temporary)
        return true
      }),
    )
  }

  readAt(path: readonly Uint8Array[], into: Uint8Array, position: number): number {
    return this.#at(path, (place) => {
      const file = openSync(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0))
      try {
        return readSync(file, into, 0, into.length, position)
      } finally {
        closeSync(file)
      }
    })
  }

  sync(): void {
    const { descriptor } = this.#directories.open([])
    if (descriptor === undefined) return
    if (this.#libc === undefined) fsyncSync(descriptor)
    else if (this.#libc.syncfs(descriptor) !== 0) {
      throw toPortError(
        Object.assign(new Error(this.#libc.lastError()), { code: this.#libc.lastError() }),
        'What was restored cannot be made durable',
      )
    }
  }

  close(): void {
    for (const file of [...this.#files.keys()]) this.abortFile(file)
    this.#directories.close()
  }

  #makeNode(place: Buffer, entry: TargetEntry, problems: string[]): boolean {
    if (entry.kind === 'symlink') {
      if (!makeSymlink(entry.details.linkTarget ?? new Uint8Array(0), place)) return false
    } else if (!this.#metadata.makeNode(place, entry, problems)) return false
    const isOwned = this.#metadata.setOwner(entry, problems, (uid, gid) => lchownSync(place, uid, gid))
    // A symlink inherits no ACL.
    if (entry.kind !== 'symlink' || entry.details.xattrs !== undefined) this.#metadata.setXattrs(place, entry, problems)
    if (entry.kind !== 'symlink') chmodSync(place, isOwned ? entry.mode : entry.mode & ~setIds)
    this.#metadata.setTimes(place, entry, problems)
    return true
  }

  #at<T>(path: readonly Uint8Array[], action: (place: Buffer, name: Uint8Array) => T): T {
    const name = checkName(path.at(-1))
    return guard(path, () => action(inside(this.#directories.open(path.slice(0, -1)), name), name))
  }

  #putInPlace(path: readonly Uint8Array[], make: (temporary: Buffer) => boolean): boolean {
    return this.#at(path, (place) => {
      const directory = this.#directories.open(path.slice(0, -1))
      const temporary = inside(directory, Buffer.from(`.bkp-${this.#runId}-${++this.#lastFile}.tmp`))
      try {
        if (!make(temporary)) return false
        renameSync(temporary, place)
        return true
      } finally {
        // After a rename of two names of one file both stay, and after a failure there may be one.
        unlinkIfThere(temporary)
      }
    })
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

  /** Removes temporary files that a killed restore left in a directory. */
  #sweep(directory: OpenDirectory): void {
    const run = this.#runId.split('-')[0] as string
    for (const name of readdirSync(directory.prefix, { encoding: 'buffer' })) {
      const text = name.toString('latin1')
      if (temporaryPattern.test(text) && !text.startsWith(`.bkp-${run}`)) unlinkIfThere(inside(directory, name))
    }
  }
}

/** @throws PortError `corrupt` for a name that could lead elsewhere */
export function checkName(name: Uint8Array | undefined): Uint8Array {
  if (name === undefined || !isSafe(name)) {
    const text = JSON.stringify(Buffer.from(name ?? []).toString('latin1'))
    throw new PortError('corrupt', `The name ${text} is refused: it could lead out of the target folder`)
  }
  return name
}

function isSafe(name: Uint8Array): boolean {
  const { length } = name
  if (length === 0 || (name[0] === dot && (length === 1 || (length === 2 && name[1] === dot)))) return false
  for (const byte of name) {
    if (byte === slash || byte === 0) return false
    if (isWindows && (byte === backslash || byte === colon)) return false
  }
  return true
}

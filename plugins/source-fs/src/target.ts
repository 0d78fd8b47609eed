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
  symlinkSync,
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
import { DirectoryCache } from './directory-cache.js'
import { inspectPath } from './entry.js'
import { guard, toPortError } from './errors.js'
import type { Libc } from './libc.js'
import { MetadataWriter } from './metadata-writer.js'
import { inside, type OpenDirectory, withNul } from './place.js'
import { makeFolder, requireUse, unlinkIfThere } from './presence.js'

interface WrittenFile {
  readonly path: readonly Uint8Array[]
  readonly directory: readonly Uint8Array[]
  readonly temporary: Buffer
  readonly sizeBytes: number
  /** Undefined while it is closed to spare descriptors. */
  descriptor: number | undefined
  /** End of what was written. */
  end: number
}

/** Files that are held open at a time. */
const openFiles = 64
const temporaryPattern = /^\.bkp-[0-9a-f]+(?:-\d+)?-\d+\.tmp$/
const setIds = 0o6000

/** Writes files back, never through a symlink and never outside the root. */
export class FileSystemTarget implements Target {
  readonly #directories: DirectoryCache
  readonly #runId: string
  readonly #libc: Libc | undefined
  readonly #metadata: MetadataWriter
  readonly #files = new Map<TargetFile, WrittenFile>()
  #lastFile = 0

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
    return guard(textOf(path), () => {
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
        const { prefix } = guard(textOf(current), () => this.#directories.open(current))
        for (const child of readdirSync(prefix, { encoding: 'buffer' }))
          stack.push({ path: [...current, child], isEmptied: false })
      }
    }
  }

  makeDirectory(path: readonly Uint8Array[]): void {
    if (path.length > 0 && this.#at(path, makeFolder)) return
    // Opening refuses a symlink or anything else that is not a directory.
    guard(textOf(path), () => this.#sweep(this.#directories.open(path)))
  }

  finishDirectory(path: readonly Uint8Array[], entry: TargetEntry): readonly string[] {
    return guard(textOf(path), () => {
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
    const descriptor = guard(textOf(path), () =>
      openSync(inside(this.#directories.open(directory), temporary), flags, 0o600),
    )
    this.#files.set(file, { path, directory, temporary, sizeBytes, descriptor, end: 0 })
    this.#limitOpenFiles(file)
    return file
  }

  write(file: TargetFile, data: Uint8Array, position: number): void {
    const written = this.#file(file)
    guard(textOf(written.path), () => {
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
      guard(textOf(written.path), () => {
        const descriptor = this.#descriptor(file, written)
        const directory = this.#directories.open(written.directory)
        if (written.end !== written.sizeBytes) ftruncateSync(descriptor, written.sizeBytes)
        const isOwned = this.#metadata.setOwner(entry, problems, (uid, gid) => fchownSync(descriptor, uid, gid))
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
    closeSync(written.descriptor as number)
    return problems
  }

  abortFile(file: TargetFile): void {
    const written = this.#files.get(file)
    if (written === undefined) return
    this.#files.delete(file)
    if (written.descriptor !== undefined) closeSync(written.descriptor)
    guard(textOf(written.path), () => unlinkSync(inside(this.#directories.open(written.directory), written.temporary)))
  }

  makeSpecial(path: readonly Uint8Array[], entry: TargetEntry): readonly string[] {
    const { details } = entry
    const problems: string[] = []
    const hasBeenMade = this.#putInPlace(path, (temporary) => {
      if (entry.kind === 'symlink') symlinkSync(Buffer.from(details.linkTarget ?? ''), temporary)
      else if (!this.#metadata.makeNode(temporary, entry, problems)) return false
      const isOwned = this.#metadata.setOwner(entry, problems, (uid, gid) => lchownSync(temporary, uid, gid))
      this.#metadata.setXattrs(temporary, entry, problems)
      if (entry.kind !== 'symlink') chmodSync(temporary, isOwned ? entry.mode : entry.mode & ~setIds)
      this.#metadata.setTimes(temporary, entry, problems)
      return true
    })
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

  #at<T>(path: readonly Uint8Array[], action: (place: Buffer, name: Uint8Array) => T): T {
    const name = checkName(path.at(-1))
    return guard(textOf(path), () => action(inside(this.#directories.open(path.slice(0, -1)), name), name))
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
    if (written.descriptor === undefined) {
      const directory = this.#directories.open(written.directory)
      written.descriptor = openSync(
        inside(directory, written.temporary),
        constants.O_RDWR | (constants.O_NOFOLLOW ?? 0),
      )
      this.#limitOpenFiles(file)
    }
    return written.descriptor
  }

  #limitOpenFiles(latest: TargetFile): void {
    let open = 0
    for (const written of this.#files.values()) if (written.descriptor !== undefined) open++
    if (open <= openFiles) return
    for (const [file, written] of this.#files) {
      if (file === latest || written.descriptor === undefined) continue
      closeSync(written.descriptor)
      written.descriptor = undefined
      return
    }
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
  const text = name === undefined ? '' : Buffer.from(name).toString('latin1')
  const isSafe = text !== '' && text !== '.' && text !== '..' && !text.includes('/') && !text.includes('\0')
  if (!isSafe || (process.platform === 'win32' && /[\\:]/.test(text))) {
    throw new PortError(
      'corrupt',
      `The name ${JSON.stringify(text)} is refused: it could lead out of the target folder`,
    )
  }
  return name as Uint8Array
}

function textOf(path: readonly Uint8Array[]): string {
  return path.map((name) => Buffer.from(name).toString()).join('/') || '.'
}

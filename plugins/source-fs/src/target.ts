import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  unlinkSync,
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
import { FileWriter } from './file-writer.js'
import type { Libc } from './libc.js'
import { MetadataWriter } from './metadata-writer.js'
import { checkName, isTemporary, TemporaryNames } from './names.js'
import { inside, type OpenDirectory } from './place.js'
import { makeFolder, makeSymlink, requireUse, unlinkIfThere } from './presence.js'

/** Writes files back, never through a symlink and never outside the root. */
export class FileSystemTarget implements Target {
  readonly #directories: DirectoryCache
  readonly #names: TemporaryNames
  readonly #libc: Libc | undefined
  readonly #metadata: MetadataWriter
  readonly #files: FileWriter

  constructor({ root, runId, readOnly }: TargetRequest, libc: Libc | undefined) {
    if (!readOnly) {
      guard(root, () => mkdirSync(root, { recursive: true }))
      guard(root, () => requireUse(root))
    }
    this.#directories = guard(root, () => new DirectoryCache(root))
    this.#names = new TemporaryNames(runId)
    this.#libc = libc
    this.#metadata = new MetadataWriter(libc)
    this.#files = new FileWriter(this.#directories, this.#names, this.#metadata, libc)
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
      return names.filter((name) => !isTemporary(name))
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
      const mode = this.#metadata.setOwner(entry, problems, (uid, gid) =>
        descriptor === undefined ? lchownSync(place, uid, gid) : fchownSync(descriptor, uid, gid),
      )
      this.#metadata.setXattrs(place, entry, problems, descriptor)
      if (descriptor === undefined) chmodSync(place, mode)
      else fchmodSync(descriptor, mode)
      this.#metadata.setTimes(place, entry, problems)
      return problems
    })
  }

  beginFile(path: readonly Uint8Array[], sizeBytes: number): TargetFile {
    return this.#files.begin(path, sizeBytes)
  }

  write(file: TargetFile, data: Uint8Array, position: number): void {
    this.#files.write(file, data, position)
  }

  commitFile(file: TargetFile, entry: TargetEntry): readonly string[] {
    return this.#files.commit(file, entry)
  }

  abortFile(file: TargetFile): void {
    this.#files.abort(file)
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
    this.#files.close()
    this.#directories.close()
  }

  #makeNode(place: Buffer, entry: TargetEntry, problems: string[]): boolean {
    if (entry.kind === 'symlink') {
      if (!makeSymlink(entry.details.linkTarget ?? new Uint8Array(0), place)) return false
    } else if (!this.#metadata.makeNode(place, entry, problems)) return false
    const mode = this.#metadata.setOwner(entry, problems, (uid, gid) => lchownSync(place, uid, gid))
    // A symlink inherits no ACL.
    if (entry.kind !== 'symlink' || entry.details.xattrs !== undefined) this.#metadata.setXattrs(place, entry, problems)
    if (entry.kind !== 'symlink') chmodSync(place, mode)
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
      const temporary = inside(directory, this.#names.next())
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

  /** Removes temporary files that a killed restore left in a directory. */
  #sweep(directory: OpenDirectory): void {
    for (const name of readdirSync(directory.prefix, { encoding: 'buffer' }))
      if (this.#names.isLeftover(name)) unlinkIfThere(inside(directory, name))
  }
}

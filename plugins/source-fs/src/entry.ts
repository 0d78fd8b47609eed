import { type BigIntStats, lstatSync, readFileSync, readlinkSync } from 'node:fs'
import type { EntryDetails, EntryKind, SourceEntry, Xattr } from '@bkp/plugin-api'
import type { Libc } from './libc.js'
import { withNul } from './place.js'

/** Looks at a path without following a final symlink. */
export function inspectPath(path: Buffer, name: Uint8Array): SourceEntry {
  return entryOf(lstatSync(path, { bigint: true }), name)
}

export function entryOf(stats: BigIntStats, name: Uint8Array): SourceEntry {
  const kind = kindOf(stats)
  const { rdev } = stats
  return {
    kind,
    name,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    ...splitTime('mtime', stats.mtimeNs),
    ...splitTime('ctime', stats.ctimeNs),
    sizeBytes: kind === 'file' ? Number(stats.size) : 0,
    inode: stats.ino,
    device: stats.dev,
    linkCount: Number(stats.nlink),
    deviceMajor: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)),
    deviceMinor: Number((rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)),
  }
}

/** What `mknod` wants for a device. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffn) << 8n) | ((high & 0xfffff000n) << 32n) | (low & 0xffn) | ((low & 0xffffff00n) << 12n)
}

function splitTime<T extends string>(name: T, nanoseconds: bigint) {
  const seconds = nanoseconds >= 0n ? nanoseconds / 1_000_000_000n : -((-nanoseconds + 999_999_999n) / 1_000_000_000n)
  return {
    [`${name}Seconds`]: Number(seconds),
    [`${name}Nanoseconds`]: Number(nanoseconds - seconds * 1_000_000_000n),
  } as Record<`${T}Seconds` | `${T}Nanoseconds`, number>
}

function kindOf(stats: BigIntStats): EntryKind {
  if (stats.isFile()) return 'file'
  if (stats.isDirectory()) return 'directory'
  if (stats.isSymbolicLink()) return 'symlink'
  if (stats.isFIFO()) return 'fifo'
  if (stats.isCharacterDevice()) return 'character-device'
  if (stats.isBlockDevice()) return 'block-device'
  return 'socket'
}

/** Finds out what is costly: names of owners, symlink target, extended attributes. */
export class Describer {
  readonly #libc: Libc | undefined
  readonly #users = readNames('/etc/passwd')
  readonly #groups = readNames('/etc/group')
  #buffer = Buffer.alloc(64 * 1024)
  /** The latest file that was seen to have no extended attributes. */
  #bare: SourceEntry | undefined

  constructor(libc: Libc | undefined) {
    this.#libc = libc
  }

  /** Asks an open file, which needs no look-up of its path, and is nearly always enough. */
  noteOpen(file: number, entry: SourceEntry): void {
    if (this.#libc?.flistxattr(file, null, 0) === 0) this.#bare = entry
  }

  describe(path: Buffer, entry: SourceEntry): EntryDetails {
    const problems: string[] = []
    const userName = this.#users.get(entry.uid)
    const groupName = this.#groups.get(entry.gid)
    const xattrs =
      this.#libc === undefined || entry === this.#bare ? [] : this.#xattrs(this.#libc, withNul(path), problems)
    return {
      ...(userName === undefined ? {} : { userName }),
      ...(groupName === undefined ? {} : { groupName }),
      ...(entry.kind === 'symlink' ? { linkTarget: readlinkSync(path, { encoding: 'buffer' }) } : {}),
      ...(xattrs.length === 0 ? {} : { xattrs }),
      ...(problems.length === 0 ? {} : { problems }),
    }
  }

  #xattrs(libc: Libc, path: Uint8Array, problems: string[]): Xattr[] {
    const length = this.#fill((buffer) => libc.llistxattr(path, buffer, buffer.length), libc)
    if (typeof length === 'string') {
      if (length !== 'ENOTSUP' && length !== 'EOPNOTSUPP' && length !== 'ENOENT')
        problems.push(`extended attributes cannot be listed: ${length}`)
      return []
    }
    if (length === 0) return []
    const names: Buffer[] = []
    for (let start = 0; start < length; ) {
      const end = this.#buffer.indexOf(0, start)
      names.push(Buffer.from(this.#buffer.subarray(start, end)))
      start = end + 1
    }
    const xattrs: Xattr[] = []
    for (const name of names) {
      const size = this.#fill((buffer) => libc.lgetxattr(path, withNul(name), buffer, buffer.length), libc)
      if (typeof size === 'number') xattrs.push({ name, value: Buffer.from(this.#buffer.subarray(0, size)) })
      // ENODATA: it went away since it was listed.
      else if (size !== 'ENODATA') problems.push(`the extended attribute ${name.toString()} cannot be read: ${size}`)
    }
    return xattrs
  }

  /** Calls with a buffer that grows until the result fits; gives its length or the name of the error. */
  #fill(call: (buffer: Buffer) => number, libc: Libc): number | string {
    for (;;) {
      const length = call(this.#buffer)
      if (length >= 0) return length
      const error = libc.lastError()
      if (error !== 'ERANGE' || this.#buffer.length > 16 * 1024 * 1024) return error
      this.#buffer = Buffer.alloc(this.#buffer.length * 4)
    }
  }
}

function readNames(file: string): ReadonlyMap<number, string> {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    // A system without such a file: ids alone are kept.
    return new Map()
  }
  const rows = text.split('\n').map((line) => line.split(':'))
  return new Map(rows.filter((row) => row.length > 2).map((row) => [Number(row[2]), row[0] as string]))
}

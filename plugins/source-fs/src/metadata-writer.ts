import { lutimesSync } from 'node:fs'
import type { TargetEntry, Xattr } from '@bkp/plugin-api'
import { deviceNumber } from './entry.js'
import type { Libc } from './libc.js'
import { currentDirectory, type OpenDirectory, withNul } from './place.js'

const noFollow = 0x100
/** The extended attributes that belong to what is backed up. */
const ours = /^(user\.|system\.posix_acl_|security\.capability$)/
const defaultAcl = Buffer.from('system.posix_acl_default\0')
const setIds = 0o6000
const fifoType = 0o010000
const characterType = 0o020000
const blockType = 0o060000

/** Sets what an entry has beside its content. What cannot be set is added to `problems`, in words for people. */
export class MetadataWriter {
  readonly #libc: Libc | undefined
  readonly #names = Buffer.alloc(64 * 1024)
  /** Two `struct timespec`: last access and last change, the same. */
  readonly #times = new BigInt64Array(4)
  readonly #timesBytes = new Uint8Array(this.#times.buffer)

  constructor(libc: Libc | undefined) {
    this.#libc = libc
  }

  makeNode(place: Buffer, entry: TargetEntry, problems: string[]): boolean {
    if (this.#libc === undefined) return false
    const type = entry.kind === 'fifo' ? fifoType : entry.kind === 'character-device' ? characterType : blockType
    if (entry.kind !== 'fifo' && entry.kind !== 'character-device' && entry.kind !== 'block-device') return false
    const device = entry.kind === 'fifo' ? 0n : deviceNumber(entry.deviceMajor, entry.deviceMinor)
    if (this.#libc.mknod(withNul(place), type | 0o600, device) === 0) return true
    problems.push(`${entry.kind}: ${this.#libc.lastError()}`)
    return false
  }

  /** @returns the mode to set then: without setuid and setgid where owner and group are not as they were */
  setOwner(entry: TargetEntry, problems: string[], change: (uid: number, gid: number) => void): number {
    try {
      change(entry.uid, entry.gid)
      return entry.mode
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EPERM' && code !== 'EINVAL' && code !== 'ENOSYS') throw error
      problems.push(`owner ${entry.uid}:${entry.gid} cannot be set: ${code}`)
      return entry.mode & ~setIds
    }
  }

  /** @param descriptor of the entry, when it is open: asking it what is there already is quicker */
  setXattrs(place: Buffer, entry: TargetEntry, problems: string[], descriptor?: number): void {
    const { xattrs = [] } = entry.details
    if (this.#libc === undefined) {
      if (xattrs.length > 0) problems.push('extended attributes cannot be set without koffi')
      return
    }
    const path = withNul(place)
    for (const name of this.#surplus(this.#libc, path, xattrs, descriptor)) {
      if (this.#libc.lremovexattr(path, withNul(name)) !== 0 && this.#libc.lastError() !== 'ENODATA')
        problems.push(`the extended attribute ${name.toString()} cannot be removed: ${this.#libc.lastError()}`)
    }
    for (const { name, value } of xattrs) {
      if (this.#libc.lsetxattr(path, withNul(name), value, value.length, 0) !== 0) {
        problems.push(`the extended attribute ${Buffer.from(name).toString()} cannot be set: ${this.#libc.lastError()}`)
      }
    }
  }

  /**
   * What a folder's default ACL has given to a new entry, or what an entry that was there has: it would let people in whom
   * the original keeps out. Labels of the system (SELinux) stay.
   */
  #surplus(libc: Libc, path: Uint8Array, wanted: readonly Xattr[], descriptor: number | undefined): readonly Buffer[] {
    const length =
      descriptor === undefined
        ? libc.llistxattr(path, this.#names, this.#names.length)
        : libc.flistxattr(descriptor, this.#names, this.#names.length)
    if (length <= 0) return []
    const present = this.#names.toString('latin1', 0, length - 1).split('\0')
    const names = new Set(wanted.map(({ name }) => Buffer.from(name).toString('latin1')))
    return present.filter((name) => ours.test(name) && !names.has(name)).map((name) => Buffer.from(name, 'latin1'))
  }

  /** Whether a directory gives what is made in it an ACL. */
  hasDefaultAcl({ prefix }: OpenDirectory): boolean {
    if (this.#libc === undefined) return false
    return this.#libc.lgetxattr(withNul(prefix), defaultAcl, null, 0) > 0
  }

  setTimes(place: Buffer, entry: TargetEntry, problems: string[]): void {
    const { mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds } = entry
    if (this.#libc === undefined) {
      lutimesSync(place, seconds, seconds + nanoseconds / 1e9)
      return
    }
    if (this.#libc.utimensat(currentDirectory, withNul(place), this.#timesOf(entry), noFollow) !== 0) {
      problems.push(`the time of the last change cannot be set: ${this.#libc.lastError()}`)
    }
  }

  setFileTimes(descriptor: number, place: Buffer, entry: TargetEntry, problems: string[]): void {
    if (this.#libc === undefined) this.setTimes(place, entry, problems)
    else if (this.#libc.futimens(descriptor, this.#timesOf(entry)) !== 0) {
      problems.push(`the time of the last change cannot be set: ${this.#libc.lastError()}`)
    }
  }

  #timesOf({ mtimeSeconds, mtimeNanoseconds }: TargetEntry): Uint8Array {
    this.#times[0] = this.#times[2] = BigInt(mtimeSeconds)
    this.#times[1] = this.#times[3] = BigInt(mtimeNanoseconds)
    return this.#timesBytes
  }
}

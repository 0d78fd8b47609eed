import { PortError } from '@bkp/plugin-api'
import type { FileEntry, OpenMode, SFTPWrapper, Stats } from 'ssh2'
import type { Line } from './line.js'

/** What a server can do beyond version 3 of the protocol; see PROTOCOL of OpenSSH. */
export interface ServerAbilities {
  /** `posix-rename@openssh.com`: a rename that replaces. */
  readonly replacingRename: boolean
  /** `hardlink@openssh.com` */
  readonly hardLink: boolean
  /** `fsync@openssh.com` */
  readonly sync: boolean
  /** `statvfs@openssh.com` */
  readonly freeSpace: boolean
  /** The plain rename fails where the new name is taken, and is atomic: so does OpenSSH, by a hard link. */
  readonly exclusiveRename: boolean
}

export interface FileSystemSpace {
  readonly freeBytes: number
  readonly freeFiles: number
  readonly isReadOnly: boolean
}

type Done<T> = (error: Error | null | undefined, value?: T) => void

/** ssh2 keeps what the server said about itself here; its types leave it out. */
interface WithExtensions {
  readonly _extensions?: Readonly<Record<string, string>>
}

/**
 * One connection with one SFTP channel, as promises. When the connection is lost, all that waits rejects with `transient`;
 * ssh2 alone would leave calls that were made after the loss without an answer. Statuses of the server reject with an
 * error whose `code` is the number of the status.
 */
export class Session {
  readonly abilities: ServerAbilities
  /** Calls that use it now. */
  load = 0
  readonly #sftp: SFTPWrapper
  readonly #line: Line
  readonly #waiting = new Set<(error: Error) => void>()
  readonly #host: string
  #lost: PortError | undefined

  constructor(sftp: SFTPWrapper, line: Line, host: string, software: string) {
    this.#sftp = sftp
    this.#line = line
    this.#host = host
    const extensions = (sftp as WithExtensions)._extensions ?? {}
    this.abilities = {
      replacingRename: extensions['posix-rename@openssh.com'] === '1',
      hardLink: extensions['hardlink@openssh.com'] === '1',
      sync: extensions['fsync@openssh.com'] === '1',
      freeSpace: extensions['statvfs@openssh.com'] === '2',
      exclusiveRename: /OpenSSH/.test(software),
    }
    sftp.on('error', (error: Error) => this.end(error.message))
    sftp.on('close', () => this.end('the server has closed the channel'))
    line.stream.on('close', () => this.end('the connection was closed'))
  }

  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** Closes the connection. What waits is told that it was lost. May be called twice. */
  end(reason: string): void {
    this.#lost ??= new PortError('transient', `The connection to ${this.#host} was lost: ${reason}`)
    this.#line.destroy()
    for (const reject of this.#waiting) reject(this.#lost)
    this.#waiting.clear()
  }

  open(path: string, mode: OpenMode): Promise<Buffer> {
    return this.#ask((sftp, done) => sftp.open(path, mode, 0o600, done))
  }

  close(handle: Buffer): Promise<void> {
    return this.#ask((sftp, done) => sftp.close(handle, done))
  }

  /** @returns how many bytes came, 0 at the end */
  read(handle: Buffer, into: Buffer, length: number, position: number): Promise<number> {
    return this.#ask((sftp, done) => sftp.read(handle, into, 0, length, position, done))
  }

  /** The bytes are copied before this returns. The packets that they make, of 32 KiB, go to the system in one call. */
  write(handle: Buffer, bytes: Buffer, offset: number, length: number): Promise<void> {
    const { stream } = this.#line
    stream.cork()
    try {
      return this.#ask((sftp, done) => sftp.write(handle, bytes, offset, length, offset, (error) => done(error)))
    } finally {
      stream.uncork()
    }
  }

  /** Only with the ability. */
  sync(handle: Buffer): Promise<void> {
    return this.#ask((sftp, done) => sftp.ext_openssh_fsync(handle, (error) => done(error)))
  }

  handleStat(handle: Buffer): Promise<Stats> {
    return this.#ask((sftp, done) => sftp.fstat(handle, done))
  }

  /** Follows links. */
  stat(path: string): Promise<Stats> {
    return this.#ask((sftp, done) => sftp.stat(path, done))
  }

  linkStat(path: string): Promise<Stats> {
    return this.#ask((sftp, done) => sftp.lstat(path, done))
  }

  readFolder(path: string): Promise<FileEntry[]> {
    return this.#ask((sftp, done) => sftp.readdir(path, done))
  }

  makeFolder(path: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.mkdir(path, { mode: 0o700 }, done))
  }

  /** Of an empty folder. */
  removeFolder(path: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.rmdir(path, done))
  }

  unlink(path: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.unlink(path, done))
  }

  realPath(path: string): Promise<string> {
    return this.#ask((sftp, done) => sftp.realpath(path, done))
  }

  /** What happens where the new name is taken differs from server to server. */
  rename(from: string, to: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.rename(from, to, done))
  }

  /** Only with the ability. */
  replacingRename(from: string, to: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.ext_openssh_rename(from, to, done))
  }

  /** Only with the ability. Fails where the new name is taken. */
  hardLink(from: string, to: string): Promise<void> {
    return this.#ask((sftp, done) => sftp.ext_openssh_hardlink(from, to, done))
  }

  /** Only with the ability. */
  async space(path: string): Promise<FileSystemSpace> {
    const found = await this.#ask<Record<string, number>>((sftp, done) => sftp.ext_openssh_statvfs(path, done))
    const { f_bavail = 0, f_frsize = 0, f_favail = 0, f_files = 0, f_flag = 0 } = found
    // Some file systems, such as btrfs, do not count files: both numbers are 0.
    const freeFiles = f_files === 0 ? Number.POSITIVE_INFINITY : f_favail
    return { freeBytes: f_bavail * f_frsize, freeFiles, isReadOnly: (f_flag & 1) === 1 }
  }

  #ask<T = void>(start: (sftp: SFTPWrapper, done: Done<T>) => void): Promise<T> {
    if (this.#lost !== undefined) return Promise.reject(this.#lost)
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject)
      start(this.#sftp, (error, value) => {
        this.#waiting.delete(reject)
        if (!error) resolve(value as T)
        else if (statusOf(error) !== undefined) reject(error)
        // Without a status it was ssh2 that gave up: the loss follows, and says why.
        else
          reject(this.#lost ?? new PortError('transient', `The connection to ${this.#host} was lost: ${error.message}`))
      })
    })
  }
}

/** The number of the status that the server answered with; undefined for other failures. */
export function statusOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'number' ? code : undefined
}

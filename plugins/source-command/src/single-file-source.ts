import {
  type ByteRange,
  type DirectoryReader,
  type EntryDetails,
  type FileReader,
  PortError,
  type Source,
  type SourceEntry,
} from '@bkp/plugin-api'

const defaultName = 'stdin'

/** @throws PortError `config` if a name was configured that no file can have */
export function fileNameOf(configuration: Readonly<Record<string, unknown>>): string {
  const { name = defaultName } = configuration
  if (typeof name === 'string' && /^[^/\0]+$/.test(name) && name !== '.' && name !== '..') return name
  throw new PortError('config', `${JSON.stringify(name)} cannot be the name of a file`)
}

/** A source that is one file, `/<name>`, whose size nobody knows beforehand. Its content can be read once. */
export class SingleFileSource implements Source {
  readonly #path: Buffer
  readonly #start: () => FileReader
  readonly #nowMs: number
  #isRead = false

  /** @param start begins reading; called at most once */
  constructor(name: string, start: () => FileReader, nowMs: number) {
    this.#path = Buffer.from(`/${name}`)
    this.#start = start
    this.#nowMs = nowMs
  }

  inspect(path: Uint8Array): SourceEntry {
    this.#expectPath(path)
    const seconds = Math.floor(this.#nowMs / 1000)
    const nanoseconds = Math.floor(this.#nowMs % 1000) * 1_000_000
    return {
      kind: 'file',
      name: this.#path.subarray(1),
      // What a program prints, a database for one, is nobody else's business when it is restored.
      mode: 0o600,
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      mtimeSeconds: seconds,
      mtimeNanoseconds: nanoseconds,
      ctimeSeconds: seconds,
      ctimeNanoseconds: nanoseconds,
      sizeBytes: 0,
      inode: 0n,
      device: 0n,
      linkCount: 1,
      deviceMajor: 0,
      deviceMinor: 0,
    }
  }

  describe(path: Uint8Array): EntryDetails {
    this.#expectPath(path)
    return {}
  }

  openFile(path: Uint8Array, _entry: SourceEntry, range?: ByteRange): FileReader {
    this.#expectPath(path)
    if (range !== undefined) throw new PortError('unsupported', `${this.#path} is read from its beginning to its end`)
    if (this.#isRead) throw new PortError('config', `${this.#path} can be read only once`)
    this.#isRead = true
    return this.#start()
  }

  openDirectory(path: Uint8Array): DirectoryReader {
    throw new PortError('config', `${Buffer.from(path)} is no folder: this source is the one file ${this.#path}`)
  }

  close(): void {
    // The reader holds all there is to close.
  }

  #expectPath(path: Uint8Array): void {
    if (!this.#path.equals(path))
      throw new PortError('not-found', `${Buffer.from(path)} does not exist: this source is the one file ${this.#path}`)
  }
}

import {
  type DirectoryReader,
  type EntryDetails,
  type FileReader,
  PortError,
  type Source,
  type SourceEntry,
} from '@bkp/plugin-api'

/** A source that is one file whose size nobody knows beforehand. */
export class SingleFileSource implements Source {
  readonly #open: () => FileReader
  readonly #now: number

  constructor(open: () => FileReader, now: number) {
    this.#open = open
    this.#now = now
  }

  inspect(path: Uint8Array): SourceEntry {
    const seconds = Math.floor(this.#now / 1000)
    const nanoseconds = (this.#now % 1000) * 1_000_000
    return {
      kind: 'file',
      name: path.subarray(path.lastIndexOf(0x2f) + 1),
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

  describe(): EntryDetails {
    return {}
  }

  openFile(): FileReader {
    return this.#open()
  }

  openDirectory(): DirectoryReader {
    throw new PortError('config', 'This source is one file and has no folders')
  }

  close(): void {
    // The reader holds what there is to close.
  }
}

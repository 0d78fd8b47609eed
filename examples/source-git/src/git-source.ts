import { basename } from 'node:path'
import {
  type ByteRange,
  type DirectoryReader,
  type EntryDetails,
  type FileReader,
  PortError,
  type Source,
  type SourceEntry,
} from '@bkp/plugin-api'
import { BundleReader } from './bundle-reader.js'
import { type Refs, readRefs } from './refs.js'

const permissions = { directory: 0o755, file: 0o600 }

/** The folder `/` with one file, `<repository>.bundle`; without one as long as there is no commit. */
export class GitSource implements Source {
  readonly #repository: string
  readonly #bundleName: string
  #refs: Promise<Refs> | undefined

  constructor(repository: string) {
    this.#repository = repository
    // Of /srv/project.git, /home/ann/project/.git and /home/ann/project alike.
    this.#bundleName = `${basename(repository.replace(/\/*\.git\/*$/, ''))}.bundle`
  }

  async inspect(path: Uint8Array): Promise<SourceEntry> {
    const refs = await this.#read()
    const text = Buffer.from(path).toString()
    if (text === '/') return this.#entry('directory', '', refs)
    if (text === `/${this.#bundleName}` && refs.tips.length > 0) return this.#entry('file', this.#bundleName, refs)
    throw new PortError('not-found', `${text} does not exist: ${this.#repository} is the file /${this.#bundleName}`)
  }

  describe(): EntryDetails {
    return {}
  }

  async openFile(path: Uint8Array, _entry: SourceEntry, range?: ByteRange): Promise<FileReader> {
    if ((await this.inspect(path)).kind !== 'file') throw new PortError('not-found', `${Buffer.from(path)} is a folder`)
    if (range !== undefined) throw new PortError('unsupported', 'A bundle is read from its beginning to its end')
    return new BundleReader(this.#repository, await this.#read())
  }

  async openDirectory(path: Uint8Array): Promise<DirectoryReader> {
    const self = await this.inspect(path)
    if (self.kind !== 'directory') throw new PortError('not-found', `${Buffer.from(path)} is no folder`)
    const refs = await this.#read()
    return {
      self,
      list: () => (refs.tips.length === 0 ? [] : [this.#entry('file', this.#bundleName, refs)]),
      describe: () => this.describe(),
      openFile: (entry, range) => this.openFile(Buffer.from(`/${Buffer.from(entry.name)}`), entry, range),
      close: () => undefined,
    }
  }

  close(): void {
    // Readers hold all there is to close.
  }

  /** Once, when the first thread to need it does: everything comes from one moment. */
  #read(): Promise<Refs> {
    this.#refs ??= readRefs(this.#repository)
    return this.#refs
  }

  #entry(kind: 'directory' | 'file', name: string, { newestSeconds }: Refs): SourceEntry {
    return {
      kind,
      name: Buffer.from(name),
      mode: permissions[kind],
      uid: process.getuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      mtimeSeconds: newestSeconds,
      mtimeNanoseconds: 0,
      ctimeSeconds: newestSeconds,
      ctimeNanoseconds: 0,
      // Nobody knows before git has packed.
      sizeBytes: 0,
      inode: 0n,
      device: 0n,
      linkCount: 1,
      deviceMajor: 0,
      deviceMinor: 0,
    }
  }
}

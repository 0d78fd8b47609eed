import type { Logger } from './storage.js'

/** What a name in a directory stands for. */
export type EntryKind = 'file' | 'directory' | 'symlink' | 'fifo' | 'character-device' | 'block-device' | 'socket'

/** A name and a value, both as bytes. POSIX ACLs are the xattrs `system.posix_acl_*`. */
export interface Xattr {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/**
 * What a directory says of one name in it. Names are raw bytes, without `/` and NUL. A source without
 * such notions gives mode 0o644 or 0o755, ids 0, inode 0n, and a ctime equal to its mtime.
 */
export interface SourceEntry {
  readonly kind: EntryKind
  readonly name: Uint8Array
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Whole seconds since 1970, possibly negative. */
  readonly mtimeSeconds: number
  readonly mtimeNanoseconds: number
  readonly ctimeSeconds: number
  readonly ctimeNanoseconds: number
  /** Bytes for files; 0 for everything else. */
  readonly sizeBytes: number
  readonly inode: bigint
  readonly device: bigint
  readonly linkCount: number
  readonly deviceMajor: number
  readonly deviceMinor: number
}

/** A name that could not be examined. It never ends a scan and never passes silently. */
export interface SourceErrorEntry {
  readonly kind: 'error'
  readonly name: Uint8Array
  /** For people, e.g. `EACCES: permission denied`. */
  readonly message: string
  /** True when the name was gone by the time it was looked at. */
  readonly vanished: boolean
}

/** What is costly to find out; asked only for entries that are new or changed. */
export interface EntryDetails {
  readonly userName?: string
  readonly groupName?: string
  readonly linkTarget?: Uint8Array
  readonly xattrs?: readonly Xattr[]
  /** What could not be kept, for people, e.g. `xattrs: EPERM`. */
  readonly problems?: readonly string[]
}

/** A stretch of a sparse file that holds data, in bytes. */
export interface Extent {
  readonly offset: number
  readonly length: number
}

/** A stretch of a file or an object, in bytes. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** Reads one file from its beginning, or one range of it. Used by one thread. */
export interface FileReader {
  /**
   * Only for files with holes: where the data lies, ascending, without overlaps. `read` then gives the
   * bytes of these extents one after the other and nothing of the holes. Undefined for dense files.
   */
  readonly extents: readonly Extent[] | undefined
  /** The size at the time of opening, in bytes. */
  readonly sizeBytes: number
  /** Fills `into` from its start; returns the bytes read, 0 only at the end. May read less than asked. */
  read(into: Uint8Array): number | Promise<number>
  /**
   * Ends reading. `changed` when size, mtime or ctime are not what they were when the file was listed.
   * @throws PortError when the data are not to be trusted at all, e.g. a command that failed.
   */
  close(): ReadOutcome | Promise<ReadOutcome>
}

/** Whether a file is still as it was when its directory was listed. */
export type ReadOutcome = 'stable' | 'changed'

/** A directory's entries in a form of the source's own that is quick to make and to compare. */
export interface PackedListing {
  /**
   * Two listings with equal bytes have equal entries in equal order, but for numbers of devices: these may differ from one
   * start of the machine to the next, so the bytes only tell entries of different devices apart. Not changed any more.
   */
  readonly bytes: Uint8Array
  /** The latest ctime of all entries, in seconds since 1970. */
  readonly newestCtimeSeconds: number
  /** The directories among the entries, in their order. */
  readonly directories: readonly { readonly name: Uint8Array; readonly device: bigint }[]
  entries(): readonly SourceEntry[]
}

/** One open directory. */
export interface DirectoryReader {
  /** The directory itself, with an empty name. */
  readonly self: SourceEntry
  /** All names, in any order. */
  list(): readonly (SourceEntry | SourceErrorEntry)[] | Promise<readonly (SourceEntry | SourceErrorEntry)[]>
  /**
   * Only for speed: the same without an object per entry.
   * @returns undefined when it cannot be told so, because an entry could not be examined
   */
  listPacked?(): PackedListing | undefined
  describe(entry: SourceEntry): EntryDetails | Promise<EntryDetails>
  /** @throws PortError `not-found` when the file vanished, `forbidden`, `transient`, … */
  openFile(entry: SourceEntry, range?: ByteRange): FileReader | Promise<FileReader>
  close(): void | Promise<void>
}

/** A tree of entries that can be read. Lives in one worker thread; several threads open their own. */
export interface Source {
  /**
   * The entry at a root path, looked at without following a final symlink.
   * @throws PortError `not-found`, `forbidden`, …
   */
  inspect(path: Uint8Array): SourceEntry | Promise<SourceEntry>
  describe(path: Uint8Array, entry: SourceEntry): EntryDetails | Promise<EntryDetails>
  openFile(path: Uint8Array, entry: SourceEntry, range?: ByteRange): FileReader | Promise<FileReader>
  /** @throws PortError as `openFile` */
  openDirectory(path: Uint8Array): DirectoryReader | Promise<DirectoryReader>
  close(): void | Promise<void>
}

/** What a source is opened with. */
export interface WorkerRequest {
  readonly configuration: Readonly<Record<string, unknown>>
  readonly log: Logger
}

/**
 * A source contribution, imported inside worker threads. `openTarget` makes it symmetrical: what a
 * source can read, its target can write back.
 */
export interface SourceModule {
  readonly id: string
  /** Features that are missing on this machine, for people, e.g. `extended attributes (koffi is not installed)`. */
  limitations?(): readonly string[]
  /** Directories may be listed before it is certain that they are backed up: nothing happens by it. */
  readonly canReadAhead?: boolean
  openSource(request: WorkerRequest): Source | Promise<Source>
  openTarget?(request: TargetRequest): Target | Promise<Target>
}

/** What a target is opened with. */
export interface TargetRequest extends WorkerRequest {
  /** The folder to restore into, absolute. Made if it is missing. */
  readonly root: string
  /** Only to look at: nothing is made or changed, and a missing root is the error `not-found`. */
  readonly readOnly?: boolean
  /** Names this run's temporary files; files of other, dead runs are removed where they are met. */
  readonly runId: string
}

/** Everything that is to be set on an entry once its content is there. */
export interface TargetEntry
  extends Omit<SourceEntry, 'name' | 'inode' | 'device' | 'ctimeSeconds' | 'ctimeNanoseconds'> {
  readonly details: EntryDetails
}

/** An opaque file being written. */
export type TargetFile = number

/**
 * Writes a tree back. Paths are component lists (raw names) relative to the root; no component is
 * empty, `.`, `..`, or holds `/` or NUL: an implementation checks that again and refuses with
 * `corrupt`. No component but the last may be a symlink, also when somebody swaps it in meanwhile.
 */
export interface Target {
  /** What is there now, without following a final symlink; undefined if nothing. */
  inspect(path: readonly Uint8Array[]): SourceEntry | undefined
  /** Names in a directory below the root, this run's temporary files left out. */
  list(path: readonly Uint8Array[]): Uint8Array[]
  /** Removes whatever is there, with all below it. */
  remove(path: readonly Uint8Array[]): void
  /** Makes a directory that is writable for us until `finishDirectory`; keeps one that is there. */
  makeDirectory(path: readonly Uint8Array[]): void
  /** Sets metadata; called after everything below is complete. Returns what could not be set. */
  finishDirectory(path: readonly Uint8Array[], entry: TargetEntry): readonly string[]
  /** Begins a file under a temporary name beside its place. Holes are what is never written. */
  beginFile(path: readonly Uint8Array[], sizeBytes: number): TargetFile
  /** Writes at a position. */
  write(file: TargetFile, data: Uint8Array, position: number): void
  /** Sets metadata and puts the file into its place atomically. Returns what could not be set. */
  commitFile(file: TargetFile, entry: TargetEntry): readonly string[]
  abortFile(file: TargetFile): void
  /** Makes a symlink, FIFO or device, replacing what is there. Returns what could not be set. */
  makeSpecial(path: readonly Uint8Array[], entry: TargetEntry): readonly string[]
  /** Makes `path` another name of `existing`. */
  makeHardLink(path: readonly Uint8Array[], existing: readonly Uint8Array[]): void
  /** Reads a file back, for verification. Holes read as zeros. Returns bytes read. */
  readAt(path: readonly Uint8Array[], into: Uint8Array, position: number): number
  /** Makes everything written so far durable. */
  sync(): void
  close(): void
}

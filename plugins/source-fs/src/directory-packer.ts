import type { PackedListing, SourceEntry } from '@bkp/plugin-api'
import { deviceNumber } from './entry.js'
import type { Libc } from './libc.js'
import {
  basicStats,
  isDots,
  kindMask,
  kindOfType,
  listBytes,
  nameAt,
  noFollow,
  recordLengthAt,
  statBytes,
} from './statx.js'

/**
 * An entry is 17 words and its name, padded to a word. The first word has the name's length and the number of the entry's
 * device among those of the listing; the others are copied from struct statx, from these words on.
 */
const fixedWords = 17
const word = {
  names: 0,
  links: 1,
  uid: 2,
  gid: 3,
  mode: 4,
  inode: 5,
  size: 7,
  ctime: 9,
  mtime: 12,
  device: 15,
} as const
const statxWord = { links: 4, ctime: 24, mtime: 28, ownDevice: 32, device: 34 } as const
const directoryType = 0o040000
const longestName = 255
const seekStart = 0
const arenaWords = 256 * 1024
/** Memory of copied names, the first piece and the others; each has room for the longest name. */
const firstNamesBytes = 512
const namesBytes = 4096
const largestEntryWords = fixedWords + (longestName + 4) / 4

/**
 * Lists directories as bytes by getdents64 and statx. Nothing is made for an entry, so it takes a third of the time that a
 * list of objects takes; many listings share a piece of memory.
 */
export class DirectoryPacker {
  readonly #libc: Libc
  readonly #stats = new Uint32Array(statBytes / 4)
  readonly #statsBytes = new Uint8Array(this.#stats.buffer)
  readonly #listing = new Uint8Array(listBytes)
  readonly #name = new Uint8Array(longestName + 1)
  #words = new Uint32Array(0)
  #bytes = new Uint8Array(0)
  /** Where the listing that is being made begins and ends, in words. */
  #start = 0
  #end = 0

  constructor(libc: Libc) {
    this.#libc = libc
  }

  /** @returns undefined when something in it could not be examined: `list` tells what */
  pack(directory: number): PackedListing | undefined {
    const found = new Found()
    if (this.#fill(directory, found)) return new PackedDirectory(this.#words, this.#start, this.#end, found)
    // Whoever lists it now begins at its beginning.
    this.#libc.lseek(directory, 0, seekStart)
    return undefined
  }

  #fill(directory: number, found: Found): boolean {
    this.#start = this.#end
    for (;;) {
      const length = this.#libc.getdents64(directory, this.#listing, listBytes)
      if (length <= 0) return length === 0
      const listing = this.#listing
      for (let at = 0; at < length; ) {
        const start = at + nameAt
        if (!isDots(listing, start) && !this.#add(directory, start, found)) return false
        at += (listing[at + recordLengthAt] as number) | ((listing[at + recordLengthAt + 1] as number) << 8)
      }
    }
  }

  #add(directory: number, start: number, found: Found): boolean {
    const [listing, name, stats] = [this.#listing, this.#name, this.#stats]
    let length = 0
    for (let byte = listing[start] as number; byte !== 0; byte = listing[start + length] as number)
      name[length++] = byte
    name[length] = 0
    if (this.#libc.statx(directory, name, noFollow, basicStats, this.#statsBytes) !== 0) return false
    if (this.#end + largestEntryWords > this.#words.length) this.#grow()
    const words = this.#words
    const at = this.#end
    words[at] =
      length | (found.numberOf(stats[statxWord.device] as number, stats[statxWord.device + 1] as number) << 16)
    for (let n = 0; n < 8; n++) words[at + word.links + n] = stats[statxWord.links + n] as number
    for (let n = 0; n < 3; n++) words[at + word.ctime + n] = stats[statxWord.ctime + n] as number
    for (let n = 0; n < 3; n++) words[at + word.mtime + n] = stats[statxWord.mtime + n] as number
    words[at + word.device] = stats[statxWord.ownDevice] as number
    words[at + word.device + 1] = stats[statxWord.ownDevice + 1] as number
    this.#end = at + fixedWords + ((length + 3) >> 2)
    // The padding too: the memory may hold the end of a longer name of a listing that was given up.
    words[this.#end - 1] = 0
    const nameStart = (at + fixedWords) * 4
    for (let n = 0; n < length; n++) this.#bytes[nameStart + n] = name[n] as number
    const ctime = i64(words, at + word.ctime) + (words[at + word.ctime + 2] as number) / 1e9
    if (ctime > found.newest) found.newest = ctime
    if (((words[at + word.mode] as number) & kindMask) === directoryType) found.addDirectory(name.slice(0, length))
    return true
  }

  /** Takes a new piece of memory, and what there is of the listing with it. */
  #grow(): void {
    const begun = this.#words.subarray(this.#start, this.#end)
    const words = new Uint32Array(Math.max(arenaWords, begun.length * 2 + largestEntryWords))
    words.set(begun)
    this.#words = words
    this.#bytes = new Uint8Array(words.buffer)
    this.#start = 0
    this.#end = begun.length
  }
}

/** What is noticed while a directory is packed. */
class Found {
  directories: { readonly name: Uint8Array; readonly device: bigint }[] = none
  devices: bigint[] = none
  newest = 0
  readonly #majors: number[] = []
  readonly #minors: number[] = []
  #last = -1

  get lastDevice(): bigint {
    return this.devices[this.#last] as bigint
  }

  /** The number of a device among those of the listing. */
  numberOf(major: number, minor: number): number {
    if (this.#majors[this.#last] === major && this.#minors[this.#last] === minor) return this.#last
    this.#last = this.#majors.findIndex((known, n) => known === major && this.#minors[n] === minor)
    if (this.#last >= 0) return this.#last
    this.#last = this.devices.length
    this.#majors.push(major)
    this.#minors.push(minor)
    this.devices = [...this.devices, deviceNumber(major, minor)]
    return this.#last
  }

  addDirectory(name: Uint8Array): void {
    if (this.directories === none) this.directories = []
    this.directories.push({ name, device: this.lastDevice })
  }
}

// Most directories have none inside, and there are many.
const none: never[] = []

/** Holds little by itself, because thousands wait to be looked at. */
class PackedDirectory implements PackedListing {
  readonly newestCtimeSeconds: number
  readonly directories: PackedListing['directories']
  readonly #all: Uint32Array
  readonly #start: number
  readonly #end: number
  readonly #devices: readonly bigint[]

  constructor(all: Uint32Array, start: number, end: number, found: Found) {
    this.#all = all
    this.#start = start
    this.#end = end
    this.newestCtimeSeconds = found.newest
    this.directories = found.directories
    this.#devices = found.devices
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#all.buffer, this.#start * 4, (this.#end - this.#start) * 4)
  }

  entries(): SourceEntry[] {
    const words = this.#all
    const bytes = new Uint8Array(words.buffer)
    const names = new Names()
    const entries: SourceEntry[] = []
    for (let at = this.#start; at < this.#end; ) {
      const nameLength = (words[at] as number) & 0xffff
      const nameStart = (at + fixedWords) * 4
      const mode = words[at + word.mode] as number
      const kind = kindOfType(mode & kindMask)
      entries.push({
        kind,
        name: names.copy(bytes, nameStart, nameLength),
        mode: mode & 0o7777,
        uid: words[at + word.uid] as number,
        gid: words[at + word.gid] as number,
        mtimeSeconds: i64(words, at + word.mtime),
        mtimeNanoseconds: words[at + word.mtime + 2] as number,
        ctimeSeconds: i64(words, at + word.ctime),
        ctimeNanoseconds: words[at + word.ctime + 2] as number,
        sizeBytes: kind === 'file' ? i64(words, at + word.size) : 0,
        inode: (BigInt(words[at + word.inode + 1] as number) << 32n) | BigInt(words[at + word.inode] as number),
        device: this.#devices[(words[at] as number) >>> 16] as bigint,
        linkCount: words[at + word.links] as number,
        deviceMajor: words[at + word.device] as number,
        deviceMinor: words[at + word.device + 1] as number,
      })
      at += fixedWords + ((nameLength + 3) >> 2)
    }
    return entries
  }
}

/**
 * Copies of names, many in one piece of memory. Pieces are small, because what is sent to another thread takes the whole
 * memory behind it along.
 */
class Names {
  #piece = new Uint8Array(0)
  #used = 0

  copy(from: Uint8Array, start: number, length: number): Uint8Array {
    if (this.#used + length > this.#piece.length) {
      this.#piece = new Uint8Array(this.#piece.length === 0 ? firstNamesBytes : namesBytes)
      this.#used = 0
    }
    const at = this.#used
    for (let n = 0; n < length; n++) this.#piece[at + n] = from[start + n] as number
    this.#used = at + length
    return this.#piece.subarray(at, this.#used)
  }
}

/** A signed number of 64 bits, exact up to 2⁵³. */
function i64(words: Uint32Array, at: number): number {
  return ((words[at + 1] as number) | 0) * 2 ** 32 + (words[at] as number)
}

import type { EntryDetails, Extent, SourceEntry, Xattr } from '@bkp/plugin-api'
import { BkpError } from '../errors/index.js'
import { refused, requireLegal, shown } from './entry-rules.js'
import {
  changedFlag,
  entryFixedBytes,
  entryKinds,
  isLegalName,
  maxEntryBytes,
  tags,
  treeHeaderBytes,
  treeMagic,
} from './tree-layout.js'

export { treeHeaderBytes, treeMagic }

/** What a file's or directory's entry has besides its metadata. */
export interface EntryContent {
  readonly changed?: boolean
  /** Replaces the size that was listed. */
  readonly sizeBytes?: number
  readonly depth?: number
  /** Ids of data or list blobs. */
  readonly ids?: Uint8Array
  readonly extents?: readonly Extent[] | undefined
  /** Ids of tree blobs. */
  readonly tree?: Uint8Array
  readonly error?: string
}

const nothing = new Uint8Array(0)
const leastBytes = 4096

/**
 * Encodes entries one after the other into memory that grows and is used again. It refuses what a reader would refuse,
 * for a tree that nobody can read must never be stored.
 */
export class EntryEncoder {
  #bytes = nothing
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  get length(): number {
    return this.#length
  }

  clear(): void {
    this.#length = 0
  }

  /** A view that is valid until the next change. */
  view(from = 0): Uint8Array {
    return this.#bytes.subarray(from, this.#length)
  }

  /** Takes an entry as it is, its length included. */
  copy(encoded: Uint8Array): void {
    this.#reserve(encoded.length)
    this.#bytes.set(encoded, this.#length)
    this.#length += encoded.length
  }

  /**
   * @throws BkpError `plugin-failed` for what no source may say, `unsupported` for an entry too large for a blob; nothing
   * is added then
   */
  add(entry: SourceEntry, details: EntryDetails, content: EntryContent): void {
    requireLegal(entry, details, content)
    const start = this.#begin(entry, entryKinds.indexOf(entry.kind) + 1, content)
    if (details.userName) this.#text(tags.userName, details.userName)
    if (details.groupName) this.#text(tags.groupName, details.groupName)
    if (details.xattrs && details.xattrs.length > 0) this.#xattrs(details.xattrs)
    if (details.linkTarget) this.#field(tags.linkTarget, details.linkTarget)
    if (entry.kind === 'character-device' || entry.kind === 'block-device') this.#device(entry)
    this.#content(content)
    if (entry.kind !== 'directory' && entry.linkCount > 1) this.#hardLink(entry)
    this.#end(start)
  }

  /** A name that could not be examined. */
  addError(name: Uint8Array, message: string): void {
    if (!isLegalName(name)) throw refused('an illegal name', name)
    const start = this.#begin({ ...unknownEntry, name }, entryKinds.indexOf('error') + 1, {})
    this.#text(tags.error, message)
    this.#end(start)
  }

  #begin(entry: SourceEntry, kind: number, content: EntryContent): number {
    const { name } = entry
    const start = this.#length
    this.#reserve(4 + entryFixedBytes + name.length)
    const at = start + 4
    this.#bytes[at] = kind
    this.#bytes[at + 1] = content.changed ? changedFlag : 0
    const view = this.#view
    view.setUint16(at + 2, name.length, true)
    view.setUint32(at + 4, entry.mode, true)
    view.setUint32(at + 8, entry.uid, true)
    view.setUint32(at + 12, entry.gid, true)
    setI64(view, at + 16, entry.mtimeSeconds)
    view.setUint32(at + 24, entry.mtimeNanoseconds, true)
    setI64(view, at + 28, entry.ctimeSeconds)
    view.setUint32(at + 36, entry.ctimeNanoseconds, true)
    setI64(view, at + 40, content.sizeBytes ?? entry.sizeBytes)
    view.setBigUint64(at + 48, entry.inode, true)
    this.#bytes.set(name, at + entryFixedBytes)
    this.#length = at + entryFixedBytes + name.length
    return start
  }

  #content(content: EntryContent): void {
    if (content.ids && content.ids.length > 0) {
      const at = this.#fieldSpace(tags.content, 1 + content.ids.length)
      this.#bytes[at] = content.depth ?? 0
      this.#bytes.set(content.ids, at + 1)
    }
    if (content.extents) {
      let at = this.#fieldSpace(tags.extents, content.extents.length * 16)
      for (const { offset, length } of content.extents) {
        setI64(this.#view, at, offset)
        setI64(this.#view, at + 8, length)
        at += 16
      }
    }
    if (content.tree) this.#field(tags.tree, content.tree)
    if (content.error) this.#text(tags.error, content.error)
  }

  #xattrs(xattrs: readonly Xattr[]): void {
    const sorted = [...xattrs].sort((a, b) => Buffer.compare(a.name, b.name))
    const bytes = sorted.reduce((sum, xattr) => sum + 6 + xattr.name.length + xattr.value.length, 0)
    let at = this.#fieldSpace(tags.xattrs, bytes)
    for (const { name, value } of sorted) {
      this.#view.setUint16(at, name.length, true)
      this.#bytes.set(name, at + 2)
      this.#view.setUint32(at + 2 + name.length, value.length, true)
      this.#bytes.set(value, at + 6 + name.length)
      at += 6 + name.length + value.length
    }
  }

  #device(entry: SourceEntry): void {
    const at = this.#fieldSpace(tags.device, 8)
    this.#view.setUint32(at, entry.deviceMajor, true)
    this.#view.setUint32(at + 4, entry.deviceMinor, true)
  }

  #hardLink(entry: SourceEntry): void {
    const at = this.#fieldSpace(tags.hardLink, 16)
    this.#view.setBigUint64(at, entry.device, true)
    setI64(this.#view, at + 8, entry.linkCount)
  }

  #text(tag: number, text: string): void {
    this.#field(tag, Buffer.from(text, 'utf8'))
  }

  #field(tag: number, value: Uint8Array): void {
    // Space first: it may move the bytes to larger memory.
    const at = this.#fieldSpace(tag, value.length)
    this.#bytes.set(value, at)
  }

  #fieldSpace(tag: number, length: number): number {
    this.#reserve(5 + length)
    const at = this.#length
    this.#bytes[at] = tag
    this.#view.setUint32(at + 1, length, true)
    this.#length = at + 5 + length
    return at + 5
  }

  #end(start: number): void {
    const length = this.#length - start
    if (length > maxEntryBytes) {
      const nameBytes = this.#view.getUint16(start + 6, true)
      const name = this.#bytes.slice(start + 4 + entryFixedBytes, start + 4 + entryFixedBytes + nameBytes)
      this.#length = start
      throw new BkpError('unsupported', `The entry of ${shown(name)} takes ${length} bytes, more than a blob has`)
    }
    this.#view.setUint32(start, length - 4, true)
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(leastBytes, this.#bytes.length * 2, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

const unknownEntry: SourceEntry = {
  kind: 'file',
  name: new Uint8Array(0),
  mode: 0,
  uid: 0,
  gid: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  ctimeSeconds: 0,
  ctimeNanoseconds: 0,
  sizeBytes: 0,
  inode: 0n,
  device: 0n,
  linkCount: 1,
  deviceMajor: 0,
  deviceMinor: 0,
}

/** A whole number as i64, exact up to 2⁵³. */
function setI64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true)
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true)
}

/**
 * Puts encoded entries into tree blobs, and begins a new blob where a large directory can be cut so that
 * a change in one place leaves the other blobs as they were.
 */
export class TreeWriter {
  readonly #encoder = new EntryEncoder()
  readonly #emit: (blob: Uint8Array) => void
  #count = 0
  #lastName = new Uint8Array(0)

  /** @param emit takes each blob; the view is valid during the call */
  constructor(emit: (blob: Uint8Array) => void) {
    this.#emit = emit
    this.#start()
  }

  /**
   * @param encoded one entry with its length, in ascending order of names
   * @throws BkpError `plugin-failed` when a name comes twice or out of order
   */
  add(encoded: Uint8Array): void {
    const name = new Uint8Array(encoded.subarray(4 + entryFixedBytes, nameEndOf(encoded)))
    if (Buffer.compare(this.#lastName, name) >= 0) throw refused('a second entry, or one out of order,', name)
    this.#lastName = name
    if (this.#encoder.length + encoded.length > maxTreeBytes && this.#count > 0) this.#flush()
    this.#encoder.copy(encoded)
    this.#count++
    if (this.#encoder.length > minTreeBytes && endsBlob(encoded)) this.#flush()
  }

  /** Emits what is left. An empty directory is one blob without entries. */
  finish(isFirst: boolean): void {
    if (this.#count > 0 || isFirst) this.#flush()
  }

  #start(): void {
    this.#encoder.clear()
    this.#encoder.copy(new Uint8Array(treeHeaderBytes))
    this.#count = 0
  }

  #flush(): void {
    const blob = this.#encoder.view()
    const view = new DataView(blob.buffer, blob.byteOffset, blob.length)
    view.setUint32(0, treeMagic, true)
    view.setUint32(4, this.#count, true)
    this.#emit(blob)
    this.#start()
  }
}

const minTreeBytes = 128 * 1024
const maxTreeBytes = 8 * 1024 * 1024

// A cut depends on the name alone (FNV-1a), so that other entries do not move it.
function endsBlob(encoded: Uint8Array): boolean {
  const nameEnd = nameEndOf(encoded)
  let hash = 0x811c9dc5
  for (let at = 4 + entryFixedBytes; at < nameEnd; at++) hash = Math.imul(hash ^ (encoded[at] as number), 0x01000193)
  return (hash >>> 0) % 1024 === 0
}

function nameEndOf(encoded: Uint8Array): number {
  return 4 + entryFixedBytes + ((encoded[6] as number) | ((encoded[7] as number) << 8))
}

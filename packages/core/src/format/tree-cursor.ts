import type { Extent, Xattr } from '@bkp/plugin-api'
import { damaged } from '../errors/index.js'
import { compareBytes } from './compare.js'
import { maxListDepth } from './limits.js'
import {
  changedFlag,
  entryFixedBytes,
  entryKinds,
  isLegalName,
  isSize,
  isTime,
  maxMode,
  type TreeEntryKind,
  tags,
  treeHeaderBytes,
  treeMagic,
} from './tree-layout.js'

/** Walks over the entries of one tree blob without copying; getters speak of the entry that `next` came to. */
export class TreeCursor {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #count: number
  #seen = 0
  #start = 0
  #end = treeHeaderBytes
  #fields = 0
  #name: Uint8Array | undefined
  #lastName: Uint8Array | undefined

  /** @throws BkpError `damaged` */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    if (bytes.length < treeHeaderBytes || this.#view.getUint32(0, true) !== treeMagic)
      throw damaged('A tree does not begin as a tree')
    this.#count = this.#view.getUint32(4, true)
  }

  /**
   * Goes to the next entry and checks it whole.
   * @throws BkpError `damaged`
   */
  next(): boolean {
    if (this.#seen === this.#count) {
      if (this.#end !== this.#bytes.length) throw damaged('A tree has bytes behind its last entry')
      return false
    }
    const start = this.#end
    if (start + 4 + entryFixedBytes > this.#bytes.length) throw damaged('A tree is cut short')
    const end = start + 4 + this.#view.getUint32(start, true)
    this.#start = start + 4
    const nameLength = this.#view.getUint16(this.#start + 2, true)
    this.#fields = this.#start + entryFixedBytes + nameLength
    if (end > this.#bytes.length || this.#fields > end) throw damaged('An entry of a tree is longer than the tree')
    this.#end = end
    this.#seen++
    this.#lastName = this.#name
    this.#name = undefined
    this.#validate()
    return true
  }

  get kind(): TreeEntryKind {
    return entryKinds[(this.#bytes[this.#start] as number) - 1] as TreeEntryKind
  }

  get changedWhileRead(): boolean {
    return ((this.#bytes[this.#start + 1] as number) & changedFlag) !== 0
  }

  /** A view on the tree. */
  get name(): Uint8Array {
    this.#name ??= this.#bytes.subarray(this.#start + entryFixedBytes, this.#fields)
    return this.#name
  }

  /** Where the entry with its length begins and ends in the tree. */
  get startsAt(): number {
    return this.#start - 4
  }

  get endsAt(): number {
    return this.#end
  }

  /** The entry with its length, as it can be put into another tree. */
  get encoded(): Uint8Array {
    return this.#bytes.subarray(this.#start - 4, this.#end)
  }

  get mode(): number {
    return this.#view.getUint32(this.#start + 4, true)
  }

  get uid(): number {
    return this.#view.getUint32(this.#start + 8, true)
  }

  get gid(): number {
    return this.#view.getUint32(this.#start + 12, true)
  }

  get mtimeSeconds(): number {
    return this.#i64(this.#start + 16)
  }

  get mtimeNanoseconds(): number {
    return this.#view.getUint32(this.#start + 24, true)
  }

  get ctimeSeconds(): number {
    return this.#i64(this.#start + 28)
  }

  get ctimeNanoseconds(): number {
    return this.#view.getUint32(this.#start + 36, true)
  }

  get sizeBytes(): number {
    return this.#i64(this.#start + 40)
  }

  get inode(): bigint {
    return this.#view.getBigUint64(this.#start + 48, true)
  }

  get userName(): string | undefined {
    return this.#text(tags.userName)
  }

  get groupName(): string | undefined {
    return this.#text(tags.groupName)
  }

  get error(): string | undefined {
    return this.#text(tags.error)
  }

  get linkTarget(): Uint8Array | undefined {
    return this.#field(tags.linkTarget)
  }

  /** Ids of the directory's tree blobs. */
  get tree(): Uint8Array | undefined {
    return this.#field(tags.tree)
  }

  /** Depth and ids of the file's content. */
  get content(): { readonly depth: number; readonly ids: Uint8Array } | undefined {
    const field = this.#field(tags.content)
    return field === undefined ? undefined : { depth: field[0] as number, ids: field.subarray(1) }
  }

  get extents(): readonly Extent[] | undefined {
    const field = this.#field(tags.extents)
    if (field === undefined) return undefined
    const base = field.byteOffset - this.#bytes.byteOffset
    return Array.from({ length: field.length / 16 }, (_, n) => ({
      offset: this.#i64(base + n * 16),
      length: this.#i64(base + n * 16 + 8),
    }))
  }

  get deviceNumbers(): { readonly major: number; readonly minor: number } | undefined {
    const field = this.#field(tags.device)
    if (field === undefined) return undefined
    const at = field.byteOffset - this.#bytes.byteOffset
    return { major: this.#view.getUint32(at, true), minor: this.#view.getUint32(at + 4, true) }
  }

  get hardLink(): { readonly device: bigint; readonly links: number } | undefined {
    const field = this.#field(tags.hardLink)
    if (field === undefined) return undefined
    const at = field.byteOffset - this.#bytes.byteOffset
    return { device: this.#view.getBigUint64(at, true), links: this.#i64(at + 8) }
  }

  get xattrs(): readonly Xattr[] | undefined {
    const field = this.#field(tags.xattrs)
    if (field === undefined) return undefined
    const view = new DataView(field.buffer, field.byteOffset, field.length)
    const xattrs: Xattr[] = []
    for (let at = 0; at < field.length; ) {
      const nameEnd = at + 2 + view.getUint16(at, true)
      const end = nameEnd + 4 + view.getUint32(nameEnd, true)
      xattrs.push({ name: field.subarray(at + 2, nameEnd), value: field.subarray(nameEnd + 4, end) })
      at = end
    }
    return xattrs
  }

  #validate(): void {
    if (this.kind === undefined) throw damaged(`An entry of a tree has the unknown kind ${this.#bytes[this.#start]}`)
    const { name } = this
    if (!isLegalName(name))
      throw damaged(`A tree holds the illegal name ${JSON.stringify(Buffer.from(name).toString())}`)
    if (this.#lastName !== undefined && compareBytes(this.#lastName, name) >= 0)
      throw damaged('The names of a tree are not in order')
    if (!isSize(this.sizeBytes)) throw damaged('An entry of a tree has an impossible size')
    if (this.mode > maxMode) throw damaged('An entry of a tree has mode bits that are no permissions')
    if (!isTime(this.mtimeSeconds, this.mtimeNanoseconds) || !isTime(this.ctimeSeconds, this.ctimeNanoseconds))
      throw damaged('An entry of a tree has an impossible time')
    let lastTag = 0
    for (let at = this.#fields; at < this.#end; ) {
      if (at + 5 > this.#end) throw damaged('A field of an entry is cut short')
      const tag = this.#bytes[at] as number
      const length = this.#view.getUint32(at + 1, true)
      if (tag <= lastTag || at + 5 + length > this.#end) throw damaged('A field of an entry is out of place')
      if (!hasLegalLength(tag, length)) throw damaged(`Field ${tag} of an entry has the illegal length ${length}`)
      if (tag === tags.content && (this.#bytes[at + 5] as number) > maxListDepth)
        throw damaged(`The content of an entry is nested ${this.#bytes[at + 5]} deep`)
      if (tag === tags.extents) this.#validateExtents(at + 5, length)
      if (tag === tags.xattrs) this.#validateXattrs(at + 5, at + 5 + length)
      lastTag = tag
      at += 5 + length
    }
  }

  #validateExtents(start: number, length: number): void {
    let before = 0
    for (let at = start; at < start + length; at += 16) {
      const offset = this.#i64(at)
      const bytes = this.#i64(at + 8)
      if (!isSize(offset) || !isSize(bytes) || !isSize(offset + bytes) || offset < before || bytes === 0)
        throw damaged('The extents of an entry are impossible')
      before = offset + bytes
    }
  }

  #validateXattrs(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const valueAt = at + 2 < end ? at + 6 + this.#view.getUint16(at, true) : end + 1
      if (valueAt > end) throw damaged('The extended attributes of an entry are cut short')
      if (valueAt === at + 6) throw damaged('An extended attribute of an entry has no name')
      at = valueAt + this.#view.getUint32(valueAt - 4, true)
      if (at > end) throw damaged('The extended attributes of an entry are cut short')
    }
  }

  #text(tag: number): string | undefined {
    const field = this.#field(tag)
    return field === undefined ? undefined : Buffer.from(field).toString('utf8')
  }

  #field(tag: number): Uint8Array | undefined {
    for (let at = this.#fields; at < this.#end; ) {
      const length = this.#view.getUint32(at + 1, true)
      const found = this.#bytes[at] as number
      if (found === tag) return this.#bytes.subarray(at + 5, at + 5 + length)
      if (found > tag) return undefined
      at += 5 + length
    }
    return undefined
  }

  #i64(at: number): number {
    return this.#view.getInt32(at + 4, true) * 2 ** 32 + this.#view.getUint32(at, true)
  }
}

function hasLegalLength(tag: number, length: number): boolean {
  if (tag === tags.content) return length > 1 && (length - 1) % 32 === 0
  if (tag === tags.tree) return length > 0 && length % 32 === 0
  if (tag === tags.extents) return length % 16 === 0
  if (tag === tags.device) return length === 8
  if (tag === tags.hardLink) return length === 16
  return true
}

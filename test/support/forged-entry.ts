import { entryKinds, type TreeEntryKind, tags, treeMagic } from '../../packages/core/src/format/tree-layout.js'

/** An entry of a tree that need not be true. What is left out is harmless. */
export interface ForgedEntry {
  readonly kind?: TreeEntryKind
  readonly name: string | Uint8Array
  readonly mode?: number
  readonly mtimeSeconds?: bigint
  readonly sizeBytes?: bigint
  readonly inode?: bigint
  readonly content?: { readonly depth: number; readonly ids: readonly Uint8Array[] }
  readonly extents?: readonly (readonly [offset: bigint, length: bigint])[]
  readonly tree?: readonly Uint8Array[]
  readonly linkTarget?: string
  readonly error?: string
  readonly hardLink?: { readonly device: bigint; readonly links: bigint }
  /** Fields by tag, written as they are. */
  readonly raw?: Readonly<Record<number, Uint8Array>>
}

/** Encodes as docs/format.md, section 9, says, and checks nothing: core's own writer refuses to lie. */
export function forgeEntry(entry: ForgedEntry): Uint8Array {
  const name = Buffer.from(entry.name)
  const fixed = Buffer.alloc(56)
  fixed.writeUInt8(entryKinds.indexOf(entry.kind ?? 'file') + 1, 0)
  fixed.writeUInt16LE(name.length & 0xffff, 2)
  fixed.writeUInt32LE(entry.mode ?? (entry.kind === 'directory' ? 0o755 : 0o644), 4)
  fixed.writeBigInt64LE(entry.mtimeSeconds ?? 1_000_000_000n, 16)
  fixed.writeBigInt64LE(1_000_000_000n, 28)
  fixed.writeBigInt64LE(entry.sizeBytes ?? 0n, 40)
  fixed.writeBigUInt64LE(entry.inode ?? 1n, 48)
  const { content, extents, tree, linkTarget, error, hardLink } = entry
  const fields: Record<number, Uint8Array> = {
    ...(linkTarget === undefined ? {} : { [tags.linkTarget]: Buffer.from(linkTarget) }),
    ...(content === undefined ? {} : { [tags.content]: Buffer.from([content.depth, ...Buffer.concat(content.ids)]) }),
    ...(extents === undefined ? {} : { [tags.extents]: Buffer.concat(extents.flat().map(u64)) }),
    ...(tree === undefined ? {} : { [tags.tree]: Buffer.concat(tree) }),
    ...(error === undefined ? {} : { [tags.error]: Buffer.from(error) }),
    ...(hardLink === undefined ? {} : { [tags.hardLink]: Buffer.concat([u64(hardLink.device), u64(hardLink.links)]) }),
    ...entry.raw,
  }
  const encoded = Object.entries(fields).flatMap(([tag, value]) => [
    Buffer.from([Number(tag)]),
    u32(value.length),
    Buffer.from(value),
  ])
  const body = Buffer.concat([fixed, name, ...encoded])
  return Buffer.concat([u32(body.length), body])
}

/** A tree blob of these entries, in this order, however wrong it is. */
export function forgeTree(entries: readonly ForgedEntry[], count = entries.length): Uint8Array {
  return Buffer.concat([u32(treeMagic), u32(count), ...entries.map(forgeEntry)])
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value))
  return bytes
}

import { Cursor, damaged, utf8 } from './bytes.mjs'

const MAGIC = 0x31455254
const KINDS = {
  1: 'file',
  2: 'directory',
  3: 'symlink',
  4: 'fifo',
  5: 'character device',
  6: 'block device',
  7: 'socket',
  8: 'error',
}

function ids(bytes, where) {
  if (bytes.length === 0 || bytes.length % 32 !== 0) damaged(where, `${bytes.length} bytes are no list of ids`)
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.toString('hex', 32 * i, 32 * i + 32))
}

function ascending(previous, name, where) {
  if (previous !== undefined && Buffer.compare(previous, name) >= 0) damaged(where, 'names are not in order')
  return name
}

function xattrs(cursor) {
  const result = []
  let previous
  while (cursor.left > 0) {
    const name = cursor.take(cursor.u16())
    if (name.length === 0) damaged(cursor.where, 'an extended attribute has no name')
    previous = ascending(previous, name, cursor.where)
    result.push({ name, value: cursor.take(cursor.u32()) })
  }
  return result
}

function extents(cursor) {
  const result = []
  let end = 0
  while (cursor.left > 0) {
    const offset = cursor.u64()
    const length = cursor.u64()
    if (offset < end || length === 0 || !Number.isSafeInteger(offset + length)) damaged(cursor.where, 'extents')
    end = offset + length
    result.push({ offset, length })
  }
  return result
}

function content(cursor) {
  const depth = cursor.u8()
  if (depth > 3) damaged(cursor.where, `content of depth ${depth}`)
  return { depth, ids: ids(cursor.take(cursor.left), cursor.where) }
}

/** Tag to the member of an entry it becomes. */
const FIELDS = {
  1: (cursor) => ({ user: utf8(cursor.take(cursor.left), cursor.where) }),
  2: (cursor) => ({ group: utf8(cursor.take(cursor.left), cursor.where) }),
  3: (cursor) => ({ xattrs: xattrs(cursor) }),
  4: (cursor) => ({ target: cursor.take(cursor.left) }),
  5: (cursor) => ({ device: { major: cursor.u32(), minor: cursor.u32() } }),
  6: (cursor) => ({ content: content(cursor) }),
  7: (cursor) => ({ extents: extents(cursor) }),
  8: (cursor) => ({ trees: ids(cursor.take(cursor.left), cursor.where) }),
  9: (cursor) => ({ error: utf8(cursor.take(cursor.left), cursor.where) }),
  10: (cursor) => ({ hardLink: { device: cursor.big64(), links: cursor.big64() } }),
}

function fields(cursor) {
  const entry = {}
  let previous = -1
  while (cursor.left > 0) {
    const tag = cursor.u8()
    if (tag <= previous) damaged(cursor.where, 'fields are not in order')
    previous = tag
    const value = new Cursor(cursor.take(cursor.u32()), `${cursor.where}, field ${tag}`)
    if (!(tag in FIELDS)) continue
    Object.assign(entry, FIELDS[tag](value))
    value.end()
  }
  return entry
}

function time(cursor) {
  const seconds = cursor.i64()
  const nanoseconds = cursor.u32()
  if (nanoseconds >= 1e9) damaged(cursor.where, 'nanoseconds')
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
}

function entryOf(cursor) {
  const kind = KINDS[cursor.u8()]
  if (kind === undefined) damaged(cursor.where, 'an entry of an unknown kind')
  const flags = cursor.u8()
  const nameLength = cursor.u16()
  const fixed = {
    kind,
    changed: (flags & 1) === 1,
    mode: cursor.u32(),
    uid: cursor.u32(),
    gid: cursor.u32(),
    mtime: time(cursor),
    ctime: time(cursor),
    size: cursor.u64(),
    inode: cursor.big64(),
    name: cursor.take(nameLength),
  }
  if (fixed.mode > 0o7777) damaged(cursor.where, `mode ${fixed.mode}`)
  const text = fixed.name.toString('latin1')
  if (text === '' || text === '.' || text === '..' || /[/\0]/.test(text)) damaged(cursor.where, 'a forbidden name')
  return { ...fixed, ...fields(cursor) }
}

function treeBlob(bytes, where) {
  const cursor = new Cursor(bytes, where)
  if (cursor.u32() !== MAGIC) damaged(where, 'does not begin with TRE1')
  const entries = []
  for (let left = cursor.u32(); left > 0; left--) entries.push(entryOf(new Cursor(cursor.take(cursor.u32()), where)))
  cursor.end()
  return entries
}

/** Section 9: the entries of a directory that is made of these tree blobs. `read(id)` gives a blob. */
export async function directory(trees, read) {
  const entries = []
  let previous
  for (const id of trees) {
    for (const entry of treeBlob(await read(id), `tree ${id}`)) {
      previous = ascending(previous, entry.name, `tree ${id}`)
      entries.push(entry)
    }
  }
  return entries
}

/** Section 10: the data blobs of a content, in order. `read(id)` gives a list blob. */
export async function* dataIds({ depth, ids: level }, read) {
  for (const id of level) {
    if (depth === 0) yield id
    else yield* dataIds({ depth: depth - 1, ids: ids(await read(id), `list ${id}`) }, read)
  }
}

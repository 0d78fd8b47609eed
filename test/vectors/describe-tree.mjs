import { isUtf8 } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Byte strings that need not be UTF-8: text where it is exact, else base64. */
export const portable = (bytes) => (isUtf8(bytes) ? bytes.toString() : { base64: bytes.toString('base64') })

/**
 * Describes a tree of the file system as the reader's `list` describes one of a snapshot, but for extents and errors,
 * which only its maker knows.
 * @param top name of a folder in `parent`: the first entry
 * @param names `users` and `groups` by number
 */
export function describeTree(parent, top, names = { users: new Map(), groups: new Map() }) {
  const attributes = extendedAttributes(`${parent}/${top}`)
  const firstOf = new Map()
  const result = []
  const add = (path) => {
    const absolute = joined(Buffer.from(parent), path)
    const stats = lstatSync(absolute, { bigint: true })
    const line = {
      path: portable(path),
      ...base(stats),
      user: names.users.get(Number(stats.uid)),
      group: names.groups.get(Number(stats.gid)),
      xattrs: attributes.get(absolute.toString('latin1')),
      ...details(stats, absolute),
    }
    if (!stats.isDirectory() && stats.nlink > 1n) {
      line.links = Number(stats.nlink)
      line.sameFileAs = firstOf.get(stats.ino)
      if (line.sameFileAs === undefined) firstOf.set(stats.ino, line.path)
    }
    result.push(line)
    if (!stats.isDirectory()) return
    const children = readdirSync(absolute, { encoding: 'buffer' })
    for (const name of children.sort(Buffer.compare)) add(joined(path, name))
  }
  add(Buffer.from(top))
  // Members without a value are not in JSON either.
  return JSON.parse(JSON.stringify(result))
}

const joined = (folder, name) => Buffer.concat([folder, Buffer.from('/'), name])

function base(stats) {
  return {
    mode: (stats.mode & 0o7777n).toString(8).padStart(4, '0'),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: String(stats.mtimeNs),
    ctimeNs: String(stats.ctimeNs),
    size: stats.isFile() ? Number(stats.size) : 0,
    inode: String(stats.ino),
  }
}

function details(stats, path) {
  if (stats.isDirectory()) return { type: 'directory' }
  if (stats.isSymbolicLink()) return { type: 'symlink', target: portable(readlinkSync(path, { encoding: 'buffer' })) }
  if (stats.isFIFO()) return { type: 'fifo' }
  if (stats.isCharacterDevice()) return { type: 'character device', device: device(stats.rdev) }
  if (stats.isBlockDevice()) return { type: 'block device', device: device(stats.rdev) }
  if (stats.isSocket()) return { type: 'socket' }
  return { type: 'file', sha256: createHash('sha256').update(readFileSync(path)).digest('hex') }
}

/** How Linux packs major and minor numbers into st_rdev. */
function device(rdev) {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n)
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n)
  return [Number(major), Number(minor)]
}

/** Absolute path, one latin1 character per byte, to `[name, base64]` in ascending order. */
function extendedAttributes(folder) {
  const args = ['--recursive', '--physical', '--no-dereference', '--absolute-names', '--dump', '--match=-']
  const text = execFileSync('getfattr', [...args, '--encoding=base64', folder], {
    encoding: 'latin1',
    maxBuffer: 2 ** 26,
  })
  const result = new Map()
  for (const block of text.split('\n\n').filter((block) => block.startsWith('# file: '))) {
    const [title, ...lines] = block.split('\n')
    const list = lines.map((line) => {
      const [name, value = '0s'] = line.split(/=(.*)/s)
      return [unescaped(name), value.slice('0s'.length)]
    })
    const order = (a, b) => Buffer.compare(Buffer.from(a[0]), Buffer.from(b[0]))
    result.set(unescaped(title.slice('# file: '.length)), list.sort(order))
  }
  return result
}

/** getfattr writes bytes that would break its lines in octal. */
const unescaped = (text) => text.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8)))

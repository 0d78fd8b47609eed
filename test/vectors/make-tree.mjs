import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'

const run = (command, ...args) => execFileSync(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })

/** Deterministic bytes that do not compress (xorshift32). */
export function noise(length, seed) {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** 5 MiB of text that compresses to almost nothing, and whose blocks still differ from each other. */
function longText() {
  const block = noise(6000, 7).toString('base64')
  return Array.from({ length: 656 }, (_, n) => `block ${n}\n${block}`).join('')
}

function sparse(path, size, pieces) {
  const file = fs.openSync(path, 'wx')
  for (const [offset, length] of pieces) fs.writeSync(file, noise(length, offset + 1), 0, length, offset)
  fs.ftruncateSync(file, size)
  fs.closeSync(file)
}

/** What the file system cannot be asked for in an easy way: path to extents. Multiples of any usual block size. */
export const EXTENTS = {
  'sparse/hole': [],
  'sparse/pieces': [
    [1_048_576, 16_384],
    [6_291_456, 8_192],
  ],
}

/** Paths of what bkp is not allowed to read. */
export const UNREADABLE = { files: ['unreadable/file'], directories: ['unreadable/folder'] }

/** The tree of the first snapshot, in a folder that must not exist yet. Needs root of Linux. */
export async function makeTree(root) {
  const at = (path) => `${root}/${path}`
  for (const folder of ['', 'data', 'empty-folder', 'links', 'names', 'owners', 'sparse', 'special', 'unreadable']) {
    fs.mkdirSync(at(folder))
  }

  fs.writeFileSync(at('data/empty'), '')
  fs.writeFileSync(at('data/one-byte'), 'x')
  fs.writeFileSync(at('data/long'), longText())
  fs.copyFileSync(at('data/long'), at('data/long-twin'))
  fs.writeFileSync(at('data/noise'), noise(20_000, 3))
  for (const [name, pieces] of Object.entries(EXTENTS)) sparse(at(name), 8_388_608, pieces)

  fs.linkSync(at('data/one-byte'), at('links/hard'))
  fs.symlinkSync('../data/one-byte', at('links/relative'))
  fs.symlinkSync('/nowhere/at/all', at('links/dangling'))
  fs.symlinkSync(Buffer.from([0x74, 0xff, 0xfe]), at('links/target-is-not-utf-8'))
  run('ln', '-P', at('links/dangling'), at('links/hard-link-of-a-symlink'))

  for (const name of ['new\nline', ' blanks ', '-rf', '*?[x]', '"\\\'', 'caf\u00e9', 'cafe\u0301', 'ÿ', '\u{1f5c4}']) {
    fs.writeFileSync(at(`names/${name}`), name)
  }
  fs.writeFileSync(at(`names/${'n'.repeat(255)}`), 'long')
  const names = Buffer.from(at('names/'))
  fs.writeFileSync(Buffer.concat([names, Buffer.from([0x6c, 0x61, 0xe9, 0xff])]), 'not UTF-8')
  // Before every letter when bytes are compared without a sign, after them in UTF-16.
  fs.writeFileSync(Buffer.concat([names, Buffer.from([0x01])]), 'a control character')

  for (const mode of [0o444, 0o755, 0o4755, 0o2755, 0o6755, 0o1644]) {
    const path = at(`owners/${mode.toString(8).padStart(4, '0')}`)
    fs.writeFileSync(path, 'mode')
    fs.chownSync(path, 4_000_000_000, 12_345)
    fs.chmodSync(path, mode)
  }
  fs.mkdirSync(at('owners/sticky'))
  fs.chmodSync(at('owners/sticky'), 0o3777)

  run('mkfifo', at('special/fifo'))
  run('mknod', at('special/character'), 'c', '1', '3')
  run('mknod', at('special/block'), 'b', '259', '1000')
  await socket(at('special/socket'))
  fs.writeFileSync(at('special/attributes'), 'attributes')
  run('setfattr', '-n', 'user.note', '-v', 'hello', at('special/attributes'))
  run('setfattr', '-n', 'user.binary', '-v', '0x00ff10', at('special/attributes'))
  run('setfattr', '-n', 'user.empty', at('special/attributes'))
  run('setfattr', '-n', 'user.folder', '-v', 'yes', at('special'))

  for (const folder of UNREADABLE.directories) fs.mkdirSync(at(folder))
  for (const file of UNREADABLE.files) fs.writeFileSync(at(file), 'secret')
  for (const path of Object.values(UNREADABLE).flat()) {
    fs.chownSync(at(path), 1, 1)
    fs.chmodSync(at(path), 0)
  }

  run('touch', '-d', '2001-02-03 04:05:06.123456789Z', at('data/empty'))
  run('touch', '-d', '1931-05-06 07:08:09.000000001Z', at('data/one-byte'))
  run('touch', '-d', '2261-12-31 23:59:59.999999999Z', at('data/long-twin'))
  run('touch', '-h', '-d', '2010-10-10 10:10:10.101010101Z', at('links/relative'))
  run('touch', '-d', '2011-11-11 11:11:11.111111111Z', at('empty-folder'))
}

/** What the second snapshot finds changed. */
export function changeTree(root) {
  fs.rmSync(`${root}/names`, { recursive: true })
  fs.renameSync(`${root}/data/noise`, `${root}/data/noise-renamed`)
  fs.writeFileSync(`${root}/data/long`, `A new beginning.\n${longText()}`)
  fs.writeFileSync(`${root}/data/new`, 'new '.repeat(1000))
  fs.chmodSync(`${root}/owners/0755`, 0o705)
}

function socket(path) {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    // Closing would remove the socket; a link to it stays.
    server.listen(`${path}.listening`, () => {
      fs.linkSync(`${path}.listening`, path)
      server.close(() => resolve())
    })
  })
}

import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

/** What could not be made on this machine, for people; tests say it. */
export interface TortureTree {
  readonly directory: string
  readonly missing: readonly string[]
}

/** Deterministic bytes that do not compress. */
export function noise(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed >>> 0 || 1
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[at] = state
  }
  return bytes
}

/** A tree with everything that file systems of Linux allow and backup tools forget. */
export function makeTortureTree(directory: string): TortureTree {
  const missing: string[] = []
  const at = (...names: string[]) => join(directory, ...names)
  const attempt = (what: string, action: () => void) => {
    try {
      action()
    } catch (error) {
      missing.push(`${what}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  const run = (command: string, ...args: string[]) => execFileSync(command, args, { stdio: 'pipe' })
  mkdirSync(directory, { recursive: true })

  mkdirSync(at('files'))
  writeFileSync(at('files', 'empty'), '')
  writeFileSync(at('files', 'one'), 'x')
  for (const [n, size] of [262_143, 262_144, 262_145, 4_194_304, 9_000_001].entries()) {
    writeFileSync(at('files', `noise-${size}`), noise(size, n + 1))
  }
  writeFileSync(at('files', 'zeros'), Buffer.alloc(6_000_000))
  writeFileSync(at('files', 'twin'), noise(9_000_001, 5))

  mkdirSync(at('names'))
  for (const name of [
    'new\nline',
    ' leading',
    'trailing ',
    '"quotes\'',
    '*?[x]',
    '-rf',
    'ünïcödé-日本語-🗄',
    '\u001b[31mred',
    'back\\slash',
  ]) {
    writeFileSync(at('names', name), name)
  }
  writeFileSync(at('names', 'n'.repeat(255)), 'long')
  const raw = Buffer.concat([Buffer.from(`${at('names')}/`), Buffer.from([0x6c, 0x61, 0xe9, 0xff, 0xfe])])
  writeFileSync(raw, 'not UTF-8')

  mkdirSync(at('links'))
  symlinkSync('../files/one', at('links', 'relative'))
  symlinkSync('/nowhere/at/all', at('links', 'dangling'))
  symlinkSync('.', at('links', 'self'))
  symlinkSync('x'.repeat(1000), at('links', 'long'))
  linkSync(at('files', 'one'), at('links', 'hard'))
  linkSync(at('files', 'noise-262145'), at('links', 'hard-large'))
  run('touch', '-h', '-d', '2001-02-03 04:05:06.123456789', at('links', 'dangling'))

  mkdirSync(at('modes'))
  for (const mode of [0o000, 0o400, 0o755, 0o4755, 0o2755, 0o6711, 0o1644]) {
    const path = at('modes', mode.toString(8).padStart(4, '0'))
    writeFileSync(path, 'mode')
    if (process.getuid?.() === 0) chownSync(path, 12345, 54321)
    chmodSync(path, mode)
  }
  mkdirSync(at('modes', 'sticky'))
  chmodSync(at('modes', 'sticky'), 0o3777)

  mkdirSync(at('times'))
  for (const [name, time] of [
    ['nanoseconds', '2020-01-02 03:04:05.987654321'],
    ['before-1970', '1931-05-06 07:08:09.000000001'],
    ['future', '2261-12-31 23:59:59.999999999'],
  ] as const) {
    writeFileSync(at('times', name), name)
    run('touch', '-d', time, at('times', name))
  }
  writeFileSync(at('times', 'epoch'), '')
  utimesSync(at('times', 'epoch'), 0, 0)

  mkdirSync(at('sparse'))
  sparse(at('sparse', 'middle'), 50_000_000, [20_000_000])
  sparse(at('sparse', 'ends'), 30_000_000, [0, 29_990_000])
  sparse(at('sparse', 'all-hole'), 10_000_000, [])

  mkdirSync(at('special'))
  attempt('FIFO', () => run('mkfifo', at('special', 'fifo')))
  attempt('character device', () => run('mknod', at('special', 'null'), 'c', '1', '3'))
  attempt('block device', () => run('mknod', at('special', 'loop'), 'b', '7', '300'))

  mkdirSync(at('attributes'))
  writeFileSync(at('attributes', 'file'), 'attributes')
  attempt('xattrs', () => {
    run('setfattr', '-n', 'user.note', '-v', 'hello', at('attributes', 'file'))
    run('setfattr', '-n', 'user.binary', '-v', '0x00ff10', at('attributes', 'file'))
    run('setfattr', '-n', 'user.dir', '-v', 'on a folder', at('attributes'))
  })
  attempt('ACL', () => {
    run('setfacl', '-m', 'u:4242:rw', at('attributes', 'file'))
    mkdirSync(at('attributes', 'inherits'))
    run('setfacl', '-d', '-m', 'g:4243:r', at('attributes', 'inherits'))
  })

  mkdirSync(at('many'))
  for (let n = 0; n < 3000; n++) writeFileSync(at('many', `f${n}`), n % 7 === 0 ? '' : `file ${n}`)
  mkdirSync(at('empty-folder'))
  makeDeep(at('deep'), missing)
  run('touch', '-d', '2011-01-01 01:01:01.101010101', at('names'))
  return { directory, missing }
}

/** A path of more than 6,000 bytes: made step by step, since no call takes it whole. */
function makeDeep(path: string, missing: string[]): void {
  mkdirSync(path)
  const script = `cd "$1" && i=0; while [ $i -lt 60 ]; do mkdir "$2" && cd "$2" || exit 1; i=$((i+1)); done; echo deep > bottom; touch -d '2012-12-12 12:12:12.121212121' bottom`
  const { status } = spawnSync('bash', ['-c', script, 'bash', path, 'd'.repeat(100)], { stdio: 'pipe' })
  if (status !== 0) missing.push('a path above PATH_MAX')
}

function sparse(path: string, size: number, dataAt: readonly number[]): void {
  const file = openSync(path, 'w')
  for (const offset of dataAt) writeSync(file, noise(8192, offset + 1), 0, 8192, offset)
  ftruncateSync(file, size)
  closeSync(file)
}

import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isPortError, type TargetEntry } from '@bkp/plugin-api'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Libc, loadLibc } from './libc.js'
import { FileSystemTarget } from './target.js'

const lanes: readonly (readonly [string, Libc | undefined])[] = [
  ['libc', loadLibc()],
  ['Node alone', undefined],
]
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const entry: TargetEntry = {
  kind: 'file',
  mode: 0o640,
  uid: process.getuid?.() ?? 0,
  gid: process.getgid?.() ?? 0,
  mtimeSeconds: 1_000_000_000,
  mtimeNanoseconds: 0,
  sizeBytes: 7,
  linkCount: 1,
  deviceMajor: 0,
  deviceMinor: 0,
  details: {},
}
const path = (...names: string[]) => names.map((name) => Buffer.from(name))

describe.each(lanes)('a folder written by %s', (_, libc) => {
  let work: string
  let root: string
  let target: FileSystemTarget
  const open = (runId = 'abc', readOnly = false) =>
    new FileSystemTarget({ configuration: {}, log: silent, root, runId, readOnly }, libc)

  beforeEach(() => {
    work = mkdtempSync(join(tmpdir(), 'bkp-target-'))
    root = join(work, 'root')
    target = open()
  })
  afterEach(() => {
    target.close()
    rmSync(work, { recursive: true })
  })

  function write(names: string[], content = 'content'): readonly string[] {
    const file = target.beginFile(path(...names), content.length)
    target.write(file, Buffer.from(content), 0)
    return target.commitFile(file, { ...entry, sizeBytes: content.length })
  }

  it('has a file under its name only when it is whole', () => {
    target.makeDirectory([])
    const file = target.beginFile(path('letter'), 7)
    target.write(file, Buffer.from('tent'), 3)
    expect(existsSync(join(root, 'letter'))).toBe(false)
    expect(target.list([])).toEqual([])
    target.write(file, Buffer.from('con'), 0)
    expect(target.commitFile(file, entry)).toEqual([])
    expect(readFileSync(join(root, 'letter'), 'utf8')).toBe('content')
    expect(statSync(join(root, 'letter'))).toMatchObject({ mode: 0o100640, mtimeMs: 1e12 })
    expect(readdirSync(root)).toEqual(['letter'])
  })

  it('leaves nothing of a file that is given up, nor of any when it is closed', () => {
    target.makeDirectory([])
    target.abortFile(target.beginFile(path('letter'), 7))
    target.beginFile(path('other'), 7)
    target.close()
    expect(readdirSync(root)).toEqual([])
    target = open()
  })

  it('takes away what a run that was killed left, and nothing of its own', () => {
    mkdirSync(join(root, 'folder'))
    writeFileSync(join(root, 'folder', '.bkp-0123-0-1.tmp'), 'old')
    const file = target.beginFile(path('folder', 'letter'), 0)
    target.makeDirectory(path('folder'))
    target.commitFile(file, { ...entry, sizeBytes: 0 })
    expect(readdirSync(join(root, 'folder'))).toEqual(['letter'])
  })

  it('leaves holes where nothing was written', () => {
    target.makeDirectory([])
    const file = target.beginFile(path('sparse'), 50_000_000)
    target.write(file, Buffer.from('end'), 49_999_997)
    target.commitFile(file, { ...entry, sizeBytes: 50_000_000 })
    const { size, blocks } = statSync(join(root, 'sparse'))
    expect(size).toBe(50_000_000)
    expect(blocks * 512).toBeLessThan(1_000_000)
  })

  it.each(['..', '.', '', 'a/b', '/etc', 'a\0b'])('refuses the name %j', (name) => {
    const actions = [
      () => target.makeDirectory(path('x', name)),
      () => target.beginFile(path(name), 0),
      () => target.makeSpecial(path(name), { ...entry, kind: 'symlink', details: { linkTarget: Buffer.from('x') } }),
      () => target.makeHardLink(path(name), path('x')),
      () => target.makeHardLink(path('x'), path(name)),
      () => target.remove(path(name)),
      () => target.inspect(path(name)),
    ]
    target.makeDirectory(path('x'))
    for (const action of actions) {
      try {
        action()
        expect.fail(`${action} was accepted`)
      } catch (error) {
        expect(isPortError(error) ? error.code : error).toBe('corrupt')
      }
    }
  })

  it('never goes through a link that somebody puts into its way', () => {
    const outside = join(work, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'victim'), 'precious')
    target.makeDirectory(path('folder'))
    renameSync(join(root, 'folder'), join(work, 'moved'))
    symlinkSync(outside, join(root, 'folder'))
    for (const action of [
      () => write(['folder', 'new']),
      () => target.remove(path('folder', 'victim')),
      () => target.makeDirectory(path('folder', 'sub')),
      () => target.makeDirectory(path('folder')),
      () => target.finishDirectory(path('folder'), { ...entry, kind: 'directory', mode: 0o777 }),
      () => target.list(path('folder')),
    ])
      expect(action).toThrow()
    expect(readdirSync(outside)).toEqual(['victim'])
    expect(statSync(outside).mode & 0o777).not.toBe(0o777)
  })

  it('replaces a link by a file, and removes a link, not what it leads to', () => {
    writeFileSync(join(work, 'victim'), 'precious')
    symlinkSync('../victim', join(root, 'link'))
    write(['link'])
    expect(lstatSync(join(root, 'link')).isFile()).toBe(true)
    mkdirSync(join(work, 'folder'))
    writeFileSync(join(work, 'folder', 'victim'), 'precious')
    symlinkSync('../folder', join(root, 'link-to-folder'))
    target.remove(path('link-to-folder'))
    expect(readFileSync(join(work, 'victim'), 'utf8')).toBe('precious')
    expect(readFileSync(join(work, 'folder', 'victim'), 'utf8')).toBe('precious')
  })

  it('makes links, symbolic and hard, and says of devices when it cannot', () => {
    write(['one'])
    const link = { ...entry, kind: 'symlink' as const, details: { linkTarget: Buffer.from('no where\n') } }
    expect(target.makeSpecial(path('link'), link)).toEqual([])
    target.makeHardLink(path('other'), path('one'))
    target.makeHardLink(path('other'), path('one'))
    expect(statSync(join(root, 'one')).nlink).toBe(2)
    const problems = target.makeSpecial(path('fifo'), { ...entry, kind: 'fifo' })
    expect(existsSync(join(root, 'fifo'))).toBe(libc !== undefined)
    expect(problems.length).toBe(libc === undefined ? 1 : 0)
    expect(readdirSync(root).some((name) => name.endsWith('.tmp'))).toBe(false)
  })

  it('makes and changes nothing when it only looks', () => {
    target.close()
    rmSync(root, { recursive: true })
    expect(() => open('abc', true)).toThrow(expect.objectContaining({ code: 'not-found' }))
    expect(existsSync(root)).toBe(false)
    mkdirSync(root)
    target = open('abc', true)
    expect(target.list([])).toEqual([])
    expect(target.inspect(path('nothing'))).toBeUndefined()
  })

  it('writes more files at a time than it may hold open', () => {
    target.makeDirectory([])
    const before = readdirSync('/proc/self/fd').length
    const files = Array.from({ length: 300 }, (_, n) => target.beginFile(path(`f${n}`), 2))
    for (const file of files) target.write(file, Buffer.from('a'), 0)
    expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(100)
    for (const file of files) target.write(file, Buffer.from('b'), 1)
    for (const file of files) target.commitFile(file, { ...entry, sizeBytes: 2 })
    expect(readdirSync(root).length).toBe(300)
    expect(readFileSync(join(root, 'f299'), 'utf8')).toBe('ab')
    expect(readdirSync('/proc/self/fd').length - before).toBeLessThanOrEqual(1)
  })
})

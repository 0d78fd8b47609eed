import { execFileSync } from 'node:child_process'
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SourceEntry } from '@bkp/plugin-api'
import { describeSource, textLikeBytes } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import fileSystem from './index.js'
import { type Libc, loadLibc } from './libc.js'
import { FileSystemSource } from './source.js'

const lanes: readonly (readonly [string, Libc | undefined])[] = [
  ['libc', loadLibc()],
  ['Node alone', undefined],
]

for (const [lane, libc] of lanes) {
  describeSource(
    { ...fileSystem, openSource: () => new FileSystemSource(libc) },
    {
      name: lane,
      sizes: 'known',
      ranges: 'anywhere',
      directories: 'listed',
      prepare() {
        const folder = mkdtempSync(join(tmpdir(), 'bkp-source-'))
        const names = ['a', '.b', '..c', 'zürich', 'new\nline', 'x'.repeat(255)]
        for (const name of names) writeFileSync(join(folder, name), name)
        const large = textLikeBytes(3_000_000)
        writeFileSync(join(folder, 'large'), large)
        mkdirSync(join(folder, 'empty'))
        return {
          configuration: {},
          files: [
            { path: join(folder, 'large'), content: large },
            ...names.map((name) => ({ path: join(folder, name), content: Buffer.from(name) })),
          ],
          directories: [
            { path: folder, names: [...names, 'large', 'empty'] },
            { path: join(folder, 'empty'), names: [] },
          ],
          missing: join(folder, 'missing'),
          dispose: () => rmSync(folder, { recursive: true }),
        }
      },
    },
  )
}

describe.each(lanes)('a folder read by %s', (_, libc) => {
  let folder: string
  let source: FileSystemSource
  const place = (...names: string[]) => join(folder, ...names)
  const bytes = (...names: string[]) => Buffer.from(place(...names))

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bkp-source-'))
    source = new FileSystemSource(libc)
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  function list(path = ''): readonly SourceEntry[] {
    const directory = source.openDirectory(bytes(path))
    const entries = directory.list() as readonly SourceEntry[]
    directory.close()
    return entries
  }

  it('knows what everything is', async () => {
    writeFileSync(place('file'), 'content')
    symlinkSync('nowhere', place('link'))
    mkdirSync(place('folder'))
    execFileSync('mkfifo', [place('fifo')])
    const server = createServer().listen(place('socket'))
    await new Promise((resolve) => server.once('listening', resolve))
    const kinds = Object.fromEntries(list().map(({ name, kind }) => [Buffer.from(name).toString(), kind]))
    server.close()
    expect(kinds).toEqual({ file: 'file', link: 'symlink', folder: 'directory', fifo: 'fifo', socket: 'socket' })
    expect(Buffer.from(source.describe(bytes('link'), source.inspect(bytes('link'))).linkTarget ?? '').toString()).toBe(
      'nowhere',
    )
  })

  it('gives names that are no text as they are', () => {
    const name = Buffer.from([0x66, 0xff, 0xfe, 0x0a, 0x80])
    writeFileSync(Buffer.concat([bytes(''), Buffer.from('/'), name]), '')
    expect(list().map((entry) => Buffer.from(entry.name).toString('hex'))).toEqual([name.toString('hex')])
  })

  it('lists thousands of names once each', () => {
    const names = Array.from({ length: 5000 }, (_, n) => `file-${n}-${'x'.repeat(n % 100)}`)
    for (const name of names) writeFileSync(place(name), '')
    expect(
      list()
        .map(({ name }) => Buffer.from(name).toString())
        .sort(),
    ).toEqual(names.sort())
  })

  it('tells times to the nanosecond, also before 1970', () => {
    writeFileSync(place('old'), '')
    execFileSync('touch', ['-d', '1931-05-06 07:08:09.123456789 UTC', place('old')])
    const expected = { mtimeSeconds: Date.UTC(1931, 4, 6, 7, 8, 9) / 1000, mtimeNanoseconds: 123_456_789 }
    expect(source.inspect(bytes('old'))).toMatchObject(expected)
    expect(list()[0]).toMatchObject(expected)
  })

  it('tells the names of one file from files of their own', () => {
    writeFileSync(place('one'), '')
    linkSync(place('one'), place('other'))
    const [one, other] = list()
    expect([one?.linkCount, other?.linkCount]).toEqual([2, 2])
    expect(one?.inode).toBe(other?.inode)
  })

  it('reads the data of sparse files, and their holes only where nothing tells where they are', async () => {
    const file = openSync(place('sparse'), 'w')
    writeSync(file, 'data', 1_000_000)
    ftruncateSync(file, 20_000_000)
    closeSync(file)
    const reader = await source.openFile(bytes('sparse'), source.inspect(bytes('sparse')))
    const into = new Uint8Array(32_000_000)
    let length = 0
    for (let count = -1; count !== 0; length += count) count = await reader.read(into.subarray(length))
    expect(await reader.close()).toBe('stable')
    if (libc === undefined) expect(length).toBe(20_000_000)
    else {
      expect(length).toBeLessThan(100_000)
      expect(reader.extents?.reduce((sum, extent) => sum + extent.length, 0)).toBe(length)
    }
    expect(Buffer.from(into.subarray(0, length)).includes('data')).toBe(true)
  })

  it('says when a file changed while it was read', async () => {
    writeFileSync(place('log'), 'one line')
    const reader = await source.openFile(bytes('log'), source.inspect(bytes('log')))
    writeFileSync(place('log'), 'one line more')
    utimesSync(place('log'), 1, 1)
    expect(await reader.close()).toBe('changed')
  })

  it('does not follow what took the place of a file', () => {
    writeFileSync(place('file'), 'mine')
    writeFileSync(place('secret'), 'secret')
    const [entry] = list().filter(({ name }) => Buffer.from(name).toString() === 'file')
    const directory = source.openDirectory(bytes(''))
    rmSync(place('file'))
    symlinkSync('secret', place('file'))
    expect(() => directory.openFile(entry as SourceEntry)).toThrow()
    rmSync(place('file'))
    renameSync(place('secret'), place('file'))
    expect(() => directory.openFile(entry as SourceEntry)).toThrow(/replaced/)
    rmSync(place('file'))
    execFileSync('mkfifo', [place('file')])
    expect(() => directory.openFile(entry as SourceEntry)).toThrow(/replaced/)
    directory.close()
  })

  it('leaves no file open', async () => {
    const openFiles = () => readdirSync('/proc/self/fd').length
    writeFileSync(place('file'), 'content')
    const run = async () => {
      const directory = source.openDirectory(bytes(''))
      for (const entry of directory.list() as readonly SourceEntry[]) {
        const reader = await directory.openFile(entry)
        await reader.read(new Uint8Array(3))
        await reader.close()
      }
      expect(() => source.openDirectory(bytes('file'))).toThrow()
      expect(() => source.openFile(bytes('missing'), directory.self)).toThrow()
      expect(() => source.openFile(bytes('file'), directory.self)).toThrow()
      directory.close()
    }
    await run()
    const before = openFiles()
    for (let n = 0; n < 20; n++) await run()
    expect(openFiles()).toBe(before)
  })
})

describe('without koffi', () => {
  afterEach(() => {
    delete process.env.BKP_NO_KOFFI
  })

  it('it is said what cannot be kept', () => {
    expect(fileSystem.limitations?.()).toEqual([])
    process.env.BKP_NO_KOFFI = '1'
    expect(fileSystem.limitations?.().join()).toMatch(/extended attributes.*holes.*koffi/)
  })
})

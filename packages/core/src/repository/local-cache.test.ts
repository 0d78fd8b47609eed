import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalCache } from './local-cache.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const hourMs = 3_600_000
let root: string
let folder: string
let cache: LocalCache

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'bkp-cache-')), 'cache')
  folder = join(root, 'repository')
  cache = new LocalCache(root, 'repository', Date.now)
})
afterEach(() => rmSync(join(root, '..'), { recursive: true }))

describe('a local cache', () => {
  it('gives back what was written, in one piece', async () => {
    await cache.write('a', [bytes('one '), bytes('two')])
    expect(Buffer.from((await cache.read('a')) ?? []).toString()).toBe('one two')
    await cache.write('a', [bytes('three')])
    expect(Buffer.from((await cache.read('a')) ?? []).toString()).toBe('three')
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it('marks its folder as a cache, so that others do not back it up', async () => {
    await cache.write('a', [bytes('x')])
    expect(readFileSync(join(root, 'CACHEDIR.TAG'), 'latin1')).toMatch(/^Signature: 8a477f597d28d172789f06886806bc55/)
  })

  it('has nothing where nothing was written', async () => {
    expect(await cache.read('a')).toBeUndefined()
  })

  it('does not keep what it cannot write, and fails nobody', async () => {
    mkdirSync(root, { recursive: true })
    writeFileSync(folder, 'a file in the place of the folder')
    await cache.write('a', [bytes('x')])
    expect(await cache.read('a')).toBeUndefined()
  })

  it('does not mind a folder in the place of a file', async () => {
    mkdirSync(join(folder, 'a'), { recursive: true })
    await cache.write('a', [bytes('x')])
    expect(await cache.read('a')).toBeUndefined()
    expect(readdirSync(folder)).toEqual(['a'])
  })

  it('removes what a killed process left, once it is old', async () => {
    mkdirSync(folder, { recursive: true })
    for (const name of ['a.old.tmp', 'a.new.tmp']) writeFileSync(join(folder, name), 'half')
    const old = (Date.now() - 2 * hourMs) / 1000
    utimesSync(join(folder, 'a.old.tmp'), old, old)
    await cache.write('a', [bytes('x')])
    expect(readdirSync(folder).sort()).toEqual(['a', 'a.new.tmp'])
  })

  it('keeps so many files and no more, the latest', async () => {
    mkdirSync(folder, { recursive: true })
    for (let n = 0; n < 40; n++) {
      writeFileSync(join(folder, `f${n}`), 'x')
      utimesSync(join(folder, `f${n}`), n, n)
    }
    await cache.write('new', [bytes('x')])
    const names = readdirSync(folder)
    expect(names).toHaveLength(32)
    expect(names).toContain('new')
    expect(names).toContain('f39')
    expect(names).not.toContain('f8')
  })
})

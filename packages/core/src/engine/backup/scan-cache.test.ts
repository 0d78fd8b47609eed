import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LocalCache } from '../../repository/local-cache.js'
import type { RepositoryIndex } from '../../repository/repository-index.js'
import type { BackupOptions } from '../api.js'
import type { OperationContext } from '../context.js'
import { ScanCache } from './scan-cache.js'

const repositoryId = 'ab'.repeat(16)
const scans = [new Uint8Array(64).fill(1), new Uint8Array(128).fill(2)]
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bkp-scan-cache-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

interface Repository {
  readonly id?: string
  readonly key?: number
  readonly cache?: LocalCache | undefined
}

function cacheOf(options: Partial<BackupOptions> = {}, repository: Repository = {}): ScanCache {
  // Of one folder for all, so that foreign files are met.
  const cache = new LocalCache(folder, repositoryId, Date.now)
  const { id, key } = { id: repositoryId, key: 5, ...repository }
  const context = { repository: { id, keys: { metadata: new Uint8Array(32).fill(key) } }, cache, ...repository }
  const usual = {
    source: { id: 'fs', configuration: {} },
    paths: [Buffer.from('/home')],
    excludes: [],
    excludeCaches: false,
    oneFileSystem: false,
    force: false,
    hostname: 'here',
    program: 'bkp 1',
  }
  return new ScanCache(context as unknown as OperationContext, { ...usual, ...options } as unknown as BackupOptions)
}

function index(segments: readonly string[] = ['s1'], condemned: readonly string[] = []): RepositoryIndex {
  return { segments: new Set(segments), condemned: new Set(condemned), lost: new Set() } as unknown as RepositoryIndex
}

const write = (cache = cacheOf(), condemned: readonly string[] = []) =>
  cache.write('snapshot', index(['s1'], condemned), ['s2'], scans)
const recordsOf = (cache: ScanCache, now = index(['s1', 's2']), parentId: string | undefined = 'snapshot') =>
  cache.records({ parentId, index: now })
const fileOf = () => {
  const name = readdirSync(join(folder, repositoryId)).find((found) => found.startsWith('scan-'))
  return join(folder, repositoryId, String(name))
}

describe('what a run remembers', () => {
  it('is there for the next run, where nobody else can read it', async () => {
    await write()
    expect(Buffer.from((await recordsOf(cacheOf())) ?? [])).toEqual(Buffer.concat(scans))
    expect(statSync(fileOf()).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, repositoryId)).mode & 0o777).toBe(0o700)
  })

  it('holds when others have added to the index', async () => {
    await write()
    expect(await recordsOf(cacheOf(), index(['s0', 's1', 's2', 's3']))).toBeDefined()
  })

  it('begins where words can begin, however long what is before', async () => {
    for (const name of ['a', 'ab', 'abc', 'abcd']) {
      await cacheOf().write(name, index([]), [], scans)
      const records = await recordsOf(cacheOf(), index([]), name)
      expect(records?.byteOffset).toBeDefined()
      expect((records?.byteOffset ?? 1) % 4).toBe(0)
    }
  })

  it.each<readonly [string, () => Promise<Uint8Array | undefined>]>([
    ['the parent is another snapshot', () => recordsOf(cacheOf(), index(['s1', 's2']), 'other')],
    ['there is no parent', () => cacheOf().records({ parentId: undefined, index: index(['s1', 's2']) })],
    ['an index segment of then is gone', () => recordsOf(cacheOf(), index(['s2', 's3']))],
    ['the index segment of that run is gone', () => recordsOf(cacheOf(), index(['s1']))],
    ['packs were condemned since', () => recordsOf(cacheOf(), index(['s1', 's2'], ['pack']))],
    ['all is to be read', () => recordsOf(cacheOf({ force: true }))],
    ['no cache is wanted', () => recordsOf(cacheOf({}, { cache: undefined }))],
    ['exclude patterns changed', () => recordsOf(cacheOf({ excludes: ['*.tmp'] }))],
    ['caches are to be left out', () => recordsOf(cacheOf({ excludeCaches: true }))],
    ['other file systems are to be left out', () => recordsOf(cacheOf({ oneFileSystem: true }))],
    ['large files are to be left out', () => recordsOf(cacheOf({ excludeLargerThanBytes: 5 }))],
    [
      'the source is set up in another way',
      () => recordsOf(cacheOf({ source: { id: 'fs', configuration: { a: 1 } } })),
    ],
    ['it is another host', () => recordsOf(cacheOf({ hostname: 'there' }))],
    ['these are other paths', () => recordsOf(cacheOf({ paths: [Buffer.from('/home'), Buffer.from('/etc')] }))],
    ['bkp is another version', () => recordsOf(cacheOf({ program: 'bkp 2' }))],
    ['the repository has other keys', () => recordsOf(cacheOf({}, { key: 6 }))],
    ['the repository is another with the same keys', () => recordsOf(cacheOf({}, { id: 'cd'.repeat(16) }))],
  ])('does not count when %s', async (_, read) => {
    await write()
    expect(await read()).toBeUndefined()
  })

  it('counts with packs that were condemned, and not used, then', async () => {
    await write(cacheOf(), ['pack'])
    expect(await recordsOf(cacheOf(), index(['s1', 's2'], ['pack']))).toBeDefined()
    expect(await recordsOf(cacheOf(), index(['s1', 's2'], []))).toBeDefined()
  })

  it('does not count when one bit of it is another, or it is cut short anywhere', async () => {
    await write()
    const sound = readFileSync(fileOf())
    for (let at = 0; at < sound.length; at++) {
      const damaged = Buffer.from(sound)
      damaged[at] = (damaged[at] as number) ^ (1 << (at % 8))
      writeFileSync(fileOf(), damaged)
      expect(await recordsOf(cacheOf())).toBeUndefined()
      writeFileSync(fileOf(), sound.subarray(0, at))
      expect(await recordsOf(cacheOf())).toBeUndefined()
    }
    writeFileSync(fileOf(), sound)
    expect(await recordsOf(cacheOf())).toBeDefined()
  })

  it('is not kept where a run gave nothing to remember', async () => {
    await cacheOf().write('snapshot', index(), [], [new Uint8Array(0)])
    expect(readdirSync(folder)).toEqual([])
  })

  it('tells no names: neither of paths nor of options', async () => {
    const cache = cacheOf({
      hostname: 'hidden-host',
      excludes: ['hidden-pattern'],
      paths: [Buffer.from('/hidden-path')],
    })
    await write(cache)
    expect(fileOf() + readFileSync(fileOf()).toString('latin1')).not.toMatch(/hidden|home/)
  })
})

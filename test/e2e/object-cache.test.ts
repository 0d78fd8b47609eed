import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEngine, type Engine, type Repository } from '@bkp/core'
import { type GetOptions, Secret } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { memoryPluginDirectories } from '../support/memory-plugins.js'
import { madeStorages } from '../support/memory-storage-plugin/index.mjs'
import { plainBackup } from '../support/plain-backup.js'
import { noise } from '../support/torture-tree.js'

const place = { name: 'made:far', url: 'made:far' }
const unlock = { kind: 'passphrase', passphrase: new Secret('a passphrase') } as const
let work: string
let cache: string
let objects: Map<string, Uint8Array>
/** Keys that were read whole, in order. */
let read: string[]
let engine: Engine

class NotedStorage extends InMemoryStorage {
  override get(key: string, options?: GetOptions): Promise<Uint8Array> {
    read.push(key)
    return super.get(key, options)
  }
}

/** Where the repository seems to be. */
function hold(isLocal: boolean): void {
  madeStorages.set(place.url, new NotedStorage({ objects, capabilities: { isLocal } }))
}

async function open<T>(action: (repository: Repository) => Promise<T>, options = {}): Promise<T> {
  const repository = await engine.openRepository([place], unlock, options)
  try {
    return await action(repository)
  } finally {
    await repository.close()
  }
}

const backup = () =>
  open((repository) =>
    repository.backup({
      paths: [Buffer.from(join(work, 'source'))],
      ...plainBackup,
      source: { id: 'fs', configuration: {} },
      compression: { id: 'none', configuration: {} },
      cipher: 'aes-256-gcm',
    }),
  )

async function listAll(options = {}): Promise<number> {
  return open(async (repository) => {
    const { id } = await repository.resolveSnapshot('latest')
    let entries = 0
    for await (const _ of repository.list(id, undefined, { recursive: true })) entries++
    return entries
  }, options)
}

const readOf = (family: string) => read.filter((key) => key.startsWith(`${family}/`))
const keptIn = () => readdirSync(cache).filter((name) => name.endsWith('-objects') || name === 'key-slots')

beforeEach(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-objects-'))
  cache = join(work, 'cache')
  objects = new Map()
  read = []
  mkdirSync(join(work, 'source'))
  const spool = { directory: join(work, 'spool'), limitBytes: 2 ** 24 }
  const plugins = { bundledPluginDirectories: memoryPluginDirectories, pluginDirectories: [] }
  engine = await createEngine({ ...plugins, workers: 1, spool, cacheDirectory: cache })
  hold(false)
  await engine.createRepository([place], unlock.passphrase)
  for (const n of [1, 2, 3]) {
    writeFileSync(join(work, 'source', `file ${n}`), noise(100_000, n))
    await backup()
  }
  read = []
})
afterEach(() => rmSync(work, { recursive: true }))

describe('of a repository on a network', () => {
  it('index and snapshots are read once, and the snapshot that is asked for alone', async () => {
    rmSync(cache, { recursive: true })
    expect(await listAll()).toBeGreaterThan(3)
    expect(readOf('index')).toHaveLength(3)
    expect(readOf('snapshots')).toHaveLength(3)
    expect(readOf('keys')).not.toHaveLength(0)
    read = []
    expect(await listAll()).toBeGreaterThan(3)
    expect([readOf('index'), readOf('snapshots'), readOf('keys')]).toEqual([[], [], []])
    await backup()
    expect(readOf('index')).toEqual([])
  })

  it('is the key slot known from its making on', async () => {
    rmSync(join(cache, 'key-slots'), { recursive: true })
    objects.clear()
    await engine.createRepository([place], unlock.passphrase)
    read = []
    expect(await open((repository) => repository.snapshots())).toEqual([])
    expect(readOf('keys')).toEqual([])
  })

  it('what is gone there is gone, whatever is kept here', async () => {
    await listAll()
    const snapshots = [...objects.keys()].filter((key) => key.startsWith('snapshots/'))
    for (const key of snapshots.slice(1)) objects.delete(key)
    expect(await open((repository) => repository.snapshots())).toHaveLength(1)
  })

  it('a check sees what is damaged there', async () => {
    await listAll()
    const [key = ''] = [...objects.keys()].filter((name) => name.startsWith('index/'))
    objects.set(key, Buffer.from(objects.get(key) as Uint8Array).fill(0, 200, 210))
    const [found] = await open((repository) => repository.check({ readDataShare: 0, heal: false }))
    expect(found?.damages.map((damage) => damage.key)).toContain(key)
  })

  it('nothing is kept where that is not wanted', async () => {
    rmSync(cache, { recursive: true })
    await listAll({ useCache: false })
    expect(existsSync(cache)).toBe(false)
  })
})

it('of a repository on this machine nothing is kept', async () => {
  rmSync(cache, { recursive: true })
  hold(true)
  await listAll()
  expect(existsSync(cache) ? keptIn() : []).toEqual([])
  hold(false)
  await listAll()
  expect(keptIn()).toHaveLength(2)
})

it('a storage that takes no objects as large as packs is refused, and gets nothing', async () => {
  objects.clear()
  madeStorages.set(place.url, new NotedStorage({ objects, capabilities: { maxObjectBytes: 5_000_000 } }))
  await expect(engine.createRepository([place], unlock.passphrase)).rejects.toMatchObject({
    code: 'unsupported',
    message: 'made:far takes objects of at most 5000000 bytes; bkp needs 67108864',
  })
  expect(objects.size).toBe(0)
})

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { indexKey, objectNameOf, packKey, snapshotKey } from '../format/ids.js'
import { cachingObjects } from './cached-objects.js'
import { LocalCache } from './local-cache.js'

const bytes = new Uint8Array(Buffer.from('a sealed object'))
const name = objectNameOf(bytes)
let root: string
let folder: string
let inner: Storage
let storage: Storage

const begin = () => cachingObjects(inner, new LocalCache(root, 'objects', Date.now))

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'bkp-objects-'))
  folder = join(root, 'objects')
  inner = new InMemoryStorage()
  for (const key of [indexKey(name), snapshotKey(name), packKey(name)]) await inner.put(key, bytes)
  vi.spyOn(inner, 'get')
  storage = begin()
})
afterEach(async () => {
  // What is being kept is waited for.
  await storage.close()
  rmSync(root, { recursive: true })
})

describe('small objects of a repository', () => {
  it.each([indexKey(name), snapshotKey(name)])('are read once: %s', async (key) => {
    expect(await storage.get(key)).toEqual(bytes)
    await storage.close()
    storage = begin()
    expect(Buffer.from(await storage.get(key)).equals(bytes)).toBe(true)
    expect(inner.get).toHaveBeenCalledTimes(1)
  })

  it('are read again when what is kept was changed or cut short', async () => {
    await storage.get(indexKey(name))
    await storage.close()
    for (const damage of ['', 'a sealed abject']) {
      writeFileSync(join(folder, name), damage)
      storage = begin()
      expect(await storage.get(indexKey(name))).toEqual(bytes)
      await storage.close()
    }
    expect(inner.get).toHaveBeenCalledTimes(3)
    storage = begin()
    await storage.get(indexKey(name))
    expect(inner.get).toHaveBeenCalledTimes(3)
  })

  it('are not there when the storage does not list them', async () => {
    await storage.get(indexKey(name))
    await inner.remove(indexKey(name))
    const listed: string[] = []
    for await (const { key } of storage.list('index/')) listed.push(key)
    expect(listed).toEqual([])
  })

  it('are all that is kept: no packs, and no parts', async () => {
    await storage.get(packKey(name))
    await storage.get(indexKey(name), { offset: 0, length: 4 })
    await storage.get(indexKey(name), { into: new Uint8Array(bytes.length) })
    await storage.close()
    expect(readdirSync(root)).toEqual([])
  })

  it('are read where nothing can be kept', async () => {
    writeFileSync(folder, 'a file in the place of the folder')
    for (const _ of [1, 2]) expect(await storage.get(indexKey(name))).toEqual(bytes)
    await storage.close()
  })
})

import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { PutOptions, Storage } from '@bkp/plugin-api'
import { expectPortRejection, randomLikeBytes } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { openFolder } from './testing/open-folder.js'
import { filesBelow, withFolder } from './testing/temporary-folder.js'

const key = 'packs/ab/object'
const bytes = randomLikeBytes(1_500_000)

type OnSync = (path: string, kind: 'data' | 'names') => Promise<void> | void

/** What is looked at just before something is made durable. Real handles are watched, and really synchronized. */
let onSync: OnSync = () => undefined

beforeEach(async () => {
  const handle = await open('/', 'r')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  for (const [method, kind] of [
    ['datasync', 'data'],
    ['sync', 'names'],
  ] as const) {
    const real = prototype[method]
    vi.spyOn(prototype, method).mockImplementation(async function (this: FileHandle) {
      await onSync(readlinkSync(`/proc/self/fd/${this.fd}`), kind)
      await real.call(this)
    })
  }
})

afterEach(() => {
  onSync = () => undefined
  vi.restoreAllMocks()
})

const ways: readonly (readonly [string, PutOptions])[] = [
  ['a put', {}],
  ['a put that must not replace', { ifAbsent: true }],
]

async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const object of storage.list(prefix)) keys.push(object.key)
  return keys.sort()
}

describe('publication of an object', () => {
  it.each(ways)('%s makes bytes durable before the name, and the name before it resolves', (_name, options) =>
    withFolder(async (root) => {
      const storage = await openFolder(root)
      await storage.put('packs/ab/earlier', bytes)
      const steps: string[] = []
      onSync = (path, kind) => {
        if (kind === 'data') {
          expect(statSync(path).size).toBe(bytes.length)
          expect(existsSync(join(root, key))).toBe(false)
        } else {
          expect(path).toBe(join(root, 'packs/ab'))
          expect(statSync(join(root, key)).size).toBe(bytes.length)
          expect(readdirSync(join(root, '@tmp'))).toEqual([])
        }
        steps.push(kind)
      }
      await storage.put(key, bytes, options)
      expect(steps).toEqual(['data', 'names'])
    }),
  )

  it('makes the names of all new folders durable, from the outermost inwards', () =>
    withFolder(async (root) => {
      const synchronized: string[] = []
      onSync = (path, kind) => {
        if (kind === 'names') synchronized.push(path)
      }
      const repository = join(root, 'disk/repository')
      const storage = await openFolder(repository, 'create')
      expect(synchronized.sort()).toEqual([root, join(root, 'disk')].sort())
      synchronized.length = 0
      await storage.put(key, bytes)
      const inOrder = ['', 'packs', 'packs/ab'].map((folder) => join(repository, folder).replace(/\/$/, ''))
      expect([...new Set(synchronized)]).toEqual(inOrder)
      expect(synchronized.at(-1)).toBe(join(repository, 'packs/ab'))
    }))

  it('also those that another writer has just made', () =>
    withFolder(async (root) => {
      mkdirSync(join(root, 'packs/ab'), { recursive: true })
      const synchronized = new Set<string>()
      onSync = (path) => {
        synchronized.add(path)
      }
      await (await openFolder(root)).put(key, bytes)
      expect(synchronized).toContain(root)
      expect(synchronized).toContain(join(root, 'packs'))
    }))

  it.each(ways)('%s is never listed under its temporary name', (_name, options) =>
    withFolder(async (root) => {
      const storage = await openFolder(root)
      await storage.put('tmp/of-the-user', bytes)
      let looks = 0
      onSync = async (_path, kind) => {
        if (kind !== 'data') return
        looks++
        expect(filesBelow(root).some((name) => name.startsWith('@tmp/'))).toBe(true)
        for (const prefix of ['', '@', '@tmp', '@tmp/', 't', 'tmp', 'tmp/', 'packs/']) {
          const expected = ['tmp/of-the-user'].filter((known) => known.startsWith(prefix))
          expect(await keysOf(storage, prefix)).toEqual(expected)
        }
      }
      await storage.put(key, bytes, options)
      expect(looks).toBe(1)
    }),
  )

  it.each(ways)('leaves nothing behind when %s is aborted while it writes', (_name, options) =>
    withFolder(async (root) => {
      const storage = await openFolder(root)
      const controller = new AbortController()
      await storage.put('other', bytes)
      const large = randomLikeBytes(20_000_000)
      const putting = storage.put(key, large, { ...options, signal: controller.signal })
      const stopping = async () => {
        while (filesBelow(root).length === 1) await new Promise(setImmediate)
        controller.abort(new Error('enough'))
      }
      await expect(Promise.race([putting, stopping().then(() => putting)])).rejects.toThrow('enough')
      expect(filesBelow(root)).toEqual(['other'])
    }),
  )

  it('leaves nothing behind when the disk fails to make bytes durable', () =>
    withFolder(async (root) => {
      const storage = await openFolder(root)
      onSync = (_path, kind) => {
        if (kind === 'data') throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
      }
      await expectPortRejection('transient', () => storage.put(key, bytes))
      expect(filesBelow(root)).toEqual([])
    }))

  it('goes on when others have removed empty folders', () =>
    withFolder(async (root) => {
      const storage = await openFolder(root)
      await storage.put(key, bytes)
      await storage.remove(key)
      for (const folder of ['packs', '@tmp']) rmSync(join(root, folder), { recursive: true })
      await storage.put(key, bytes)
      expect(Buffer.compare(await storage.get(key), bytes)).toBe(0)
    }))
})

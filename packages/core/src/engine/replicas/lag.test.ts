import { PortError, type StoredObject } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { catchUp, findLags } from './lag.js'
import { keysIn, objectOf, replicaOf } from './testing/replicas.js'

const { signal } = new AbortController()
const pack = objectOf('packs', 'a pack')
const segment = objectOf('index', 'names the pack')
const descriptor = { key: 'bkp.json', bytes: Buffer.from('{}') }
const nameOf = (key: string) => key.slice('index/'.length)
const indexOf = (...keys: string[]) => Promise.resolve({ segments: new Set(keys.map(nameOf)) })

async function storageWith(...objects: readonly { readonly key: string; readonly bytes: Uint8Array }[]) {
  const storage = new InMemoryStorage()
  for (const { key, bytes } of [descriptor, ...objects]) await storage.put(key, bytes)
  return storage
}

// biome-ignore lint/correctness/useYield: it fails before its first object
async function* failingList(): AsyncGenerator<StoredObject> {
  throw new PortError('offline', 'nobody answers')
}

describe('destinations that lag', () => {
  it('are found by what names packs, and brought up', async () => {
    const [a, b] = [replicaOf('a', await storageWith(pack, segment)), replicaOf('b', await storageWith())]
    const lags = await findLags([a, b], indexOf(segment.key), signal)
    expect(lags.map(({ replica }) => replica.name)).toEqual(['b'])
    for (const lag of lags) expect(await catchUp(lag, [a, b], { signal })).toBe(2)
    expect(await keysIn(b.storage)).toEqual(await keysIn(a.storage))
    expect(await findLags([a, b], indexOf(segment.key), signal)).toEqual([])
  })

  it('are found by what the index has, also when another run stored that after the lists were made', async () => {
    const [a, b] = [replicaOf('a', await storageWith()), replicaOf('b', await storageWith())]
    const index = (async () => {
      for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
      for (const { key, bytes } of [pack, segment]) await a.storage.put(key, bytes)
      return indexOf(segment.key)
    })()
    const lags = await findLags([a, b], index, signal)
    expect(lags.map(({ replica, missing }) => [replica.name, missing.objects])).toEqual([
      ['a', 0],
      ['b', 2],
    ])
  })

  it('are not called complete when one that may have more cannot list its packs', async () => {
    const dying = await storageWith(pack, segment)
    const list = dying.list.bind(dying)
    dying.list = (prefix, options) => (prefix === 'packs/' ? failingList() : list(prefix, options))
    const [a, b, c] = [
      replicaOf('a', dying),
      replicaOf('b', await storageWith(segment)),
      replicaOf('c', await storageWith()),
    ]
    expect(await findLags([a, b, c], indexOf(segment.key), signal)).toEqual([])
    expect(c.failure).toMatchObject({ code: 'offline' })
  })
})

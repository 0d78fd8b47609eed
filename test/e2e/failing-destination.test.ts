import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BackupResult, createEngine, type Engine } from '@bkp/core'
import { PortError, Secret, type Storage } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { memoryPluginDirectories } from '../support/memory-plugins.js'
import { madeStorages } from '../support/memory-storage-plugin/index.mjs'
import { plainBackup } from '../support/plain-backup.js'
import { noise } from '../support/torture-tree.js'

const refused = new PortError('forbidden', 'the account is closed')
const hourMs = 3_600_000
const unlock = { kind: 'passphrase', passphrase: new Secret('a passphrase') } as const
const [near, far] = ['made:near', 'made:far'].map((url) => ({ name: url, url })) as [Place, Place]
type Place = { readonly name: string; readonly url: string }
type Objects = Map<string, Uint8Array>

let work: string
let source: string
let engine: Engine
/** What the two hold in the beginning: the far one lags, and both have packs of a run that was interrupted. */
let start: { readonly near: Objects; readonly far: Objects }

/** Fails every call from the nth on. */
function failingFrom(objects: Objects, number: number) {
  const inner = new InMemoryStorage({ objects })
  const seen = { calls: 0 }
  const count = async () => {
    if (++seen.calls >= number) throw refused
  }
  const storage: Storage = {
    capabilities: inner.capabilities,
    put: (...call) => count().then(() => inner.put(...call)),
    get: (...call) => count().then(() => inner.get(...call)),
    stat: (...call) => count().then(() => inner.stat(...call)),
    remove: (...call) => count().then(() => inner.remove(...call)),
    async *list(...call) {
      await count()
      yield* inner.list(...call)
    },
    close: () => inner.close(),
  }
  return { storage, seen }
}

async function backup(places: readonly Place[]): Promise<BackupResult> {
  const repository = await engine.openRepository(places, unlock)
  try {
    return await repository.backup({
      paths: [Buffer.from(source)],
      ...plainBackup,
      source: { id: 'fs', configuration: {} },
      compression: { id: 'none', configuration: {} },
      cipher: 'aes-256-gcm',
    })
  } finally {
    await repository.close()
  }
}

async function damagesAt(place: Place): Promise<readonly string[]> {
  const repository = await engine.openRepository([place], unlock)
  try {
    const [found] = await repository.check({ readDataShare: 1, heal: false })
    return (found?.damages ?? []).map(({ key, message }) => `${key}: ${message}`)
  } finally {
    await repository.close()
  }
}

function hold(name: Place, objects: Objects): void {
  madeStorages.set(name.url, new InMemoryStorage({ objects }))
}

const keysOf = (objects: Objects) => [...objects.keys()].filter((key) => !key.startsWith('sessions/')).sort()

beforeAll(async () => {
  work = mkdtempSync(join(tmpdir(), 'bkp-failing-'))
  source = join(work, 'source')
  mkdirSync(source)
  vi.useFakeTimers({ toFake: ['Date'] })
  engine = await createEngine({
    bundledPluginDirectories: memoryPluginDirectories,
    pluginDirectories: [],
    workers: 2,
    spool: { directory: join(work, 'spool'), limitBytes: 2 ** 24 },
  })
  const objects: typeof start = { near: new Map(), far: new Map() }
  hold(near, objects.near)
  hold(far, objects.far)
  await engine.createRepository([near, far], unlock.passphrase)
  writeFileSync(join(source, 'first'), noise(300_000, 1))
  await backup([near, far])
  writeFileSync(join(source, 'second'), noise(300_000, 2))
  await backup([near])
  writeFileSync(join(source, 'third'), noise(300_000, 3))
  // The packs of an interrupted run are at both, and nothing that names them.
  for (const [{ url }, held] of [
    [near, objects.near],
    [far, objects.far],
  ] as const) {
    const storage = new InMemoryStorage({ objects: held })
    const put = storage.put.bind(storage)
    storage.put = async (key, ...rest) => {
      if (key.startsWith('index/')) throw refused
      await put(key, ...rest)
    }
    madeStorages.set(url, storage)
  }
  const packs = objects.far.size
  await expect(backup([near, far])).rejects.toMatchObject({ code: 'forbidden' })
  expect(objects.far.size).toBeGreaterThan(packs)
  start = objects
  vi.setSystemTime(Date.now() + hourMs)
})
afterAll(() => {
  vi.useRealTimers()
  rmSync(work, { recursive: true, force: true })
})

async function run(number: number) {
  const objects = { near: new Map(start.near), far: new Map(start.far) }
  hold(near, objects.near)
  const { storage, seen } = failingFrom(objects.far, number)
  madeStorages.set(far.url, storage)
  const result = await backup([near, far])
  hold(far, objects.far)
  return { result, objects, calls: seen.calls }
}

describe('a destination that fails', () => {
  it('at any call neither ends the run nor is given a snapshot that is not complete there', async () => {
    const sound = await run(Number.POSITIVE_INFINITY)
    expect(sound.result.destinations.map(({ state }) => state)).toEqual(['complete', 'complete'])
    expect(keysOf(sound.objects.far)).toEqual(keysOf(sound.objects.near))
    const failed: string[] = []
    for (let number = 1; number <= sound.calls; number++) {
      const { result, objects } = await run(number)
      const states = Object.fromEntries(result.destinations.map(({ name, state }) => [name, state]))
      if (states[near.name] !== 'complete') failed.push(`call ${number}: the other one is not complete`)
      if (states[far.name] === 'complete' && !objects.far.has(`snapshots/${result.snapshotId}`))
        failed.push(`call ${number}: said to be complete without the snapshot`)
      if (number % 4 > 0) continue
      for (const damage of await damagesAt(far)) failed.push(`call ${number}: ${damage}`)
      const again = await backup([near, far])
      if (again.destinations.some(({ state }) => state !== 'complete')) failed.push(`call ${number}: still lags`)
      if (keysOf(objects.far).join() !== keysOf(objects.near).join()) failed.push(`call ${number}: replicas differ`)
    }
    expect(failed).toEqual([])
  })
})

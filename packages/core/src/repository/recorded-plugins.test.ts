import { PortError } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { BkpError } from '../errors/index.js'
import { objectNameOf, snapshotKey } from '../format/ids.js'
import { type CipherInUse, sealObject } from '../format/sealed-object.js'
import { encodeSnapshot, parseSnapshot, type Snapshot } from '../format/snapshot.js'
import type { SnapshotPlugin } from '../format/snapshot-plugins.js'
import { aesGcm, transparent } from '../format/testing/ciphers.js'
import { jsonBytes, vectors } from '../format/testing/vectors.js'
import type { OpenedRepository } from './opened-repository.js'
import { RecordedPlugins } from './recorded-plugins.js'

const id = 'ab'.repeat(16)
const metadata = new Uint8Array(32).fill(7)
const brotli: SnapshotPlugin = { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.0.0' }
const newer = { ...brotli, version: '1.1.0' }

let storage: InMemoryStorage
let recorded: RecordedPlugins

/** Only the cipher that came with bkp is there. */
const cipherFor = (name: string): CipherInUse => {
  if (name === aesGcm.module.id) return aesGcm
  throw new BkpError('missing-plugin', `${name} is missing`)
}

const recordedOf = (given: InMemoryStorage) =>
  new RecordedPlugins({ storage: given, id, keys: { metadata } } as unknown as OpenedRepository, cipherFor)

async function store(time: string, plugins: Snapshot['plugins'], cipher = aesGcm): Promise<void> {
  const snapshot = parseSnapshot(jsonBytes({ ...vectors.snapshot, time, plugins }))
  const bytes = sealObject('snapshot', id, metadata, cipher, encodeSnapshot(snapshot))
  await storage.put(snapshotKey(objectNameOf(bytes)), bytes)
}

beforeEach(() => {
  storage = new InMemoryStorage()
  recorded = recordedOf(storage)
})

describe('the package of a plugin that is missing', () => {
  it('is what the newest snapshot says that says something', async () => {
    await store('2026-01-02T00:00:00Z', [newer])
    await store('2026-01-01T00:00:00Z', [brotli])
    await store('2026-01-03T00:00:00Z', undefined)
    expect(recorded.known('compression', 'brotli')).toBeUndefined()
    expect(await recorded.lookUp('compression', 'brotli')).toEqual(newer)
    expect(recorded.known('compression', 'brotli')).toEqual(newer)
    expect(await recorded.lookUp('source', 'brotli')).toBeUndefined()
  })

  it('is found beside snapshots that cannot be read', async () => {
    await store('2026-01-02T00:00:00Z', [newer], transparent)
    await storage.put(snapshotKey('cd'.repeat(32)), new Uint8Array(200))
    await store('2026-01-01T00:00:00Z', [brotli])
    expect(await recorded.lookUp('compression', 'brotli')).toEqual(brotli)
  })

  it('is read once, whoever asks', async () => {
    await store('2026-01-01T00:00:00Z', [brotli])
    await Promise.all([recorded.lookUp('compression', 'brotli'), recorded.lookUp('compression', 'lzma')])
    await store('2026-01-02T00:00:00Z', [newer])
    expect(await recorded.lookUp('compression', 'brotli')).toEqual(brotli)
  })

  it('is nobody where the storage is away: what was missing is still what is told', async () => {
    class AwayStorage extends InMemoryStorage {
      override async get(): Promise<Uint8Array> {
        throw new PortError('offline', 'Nobody is there')
      }
    }
    const objects = new Map<string, Uint8Array>()
    storage = new InMemoryStorage({ objects })
    await store('2026-01-01T00:00:00Z', [brotli])
    expect(await recordedOf(new AwayStorage({ objects })).lookUp('compression', 'brotli')).toBeUndefined()
  })
})

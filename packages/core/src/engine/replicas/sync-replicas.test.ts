import { InMemoryStorage } from '@bkp/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { createDescriptor, encodeDescriptor } from '../../format/descriptor.js'
import { descriptorKey } from '../../format/ids.js'
import { IntegrityStorage } from '../../ports/integrity.js'
import type { PluginAccess } from '../plugin-access.js'
import { syncReplicas } from './sync-replicas.js'
import { objectOf } from './testing/replicas.js'

const descriptor = encodeDescriptor(createDescriptor('ab'.repeat(16), '2026-11-24T00:00:00.000Z', new Uint8Array(32)))
const pack = objectOf('packs', 'a pack '.repeat(1000))
const snapshot = objectOf('snapshots', 'a snapshot')
const size = pack.bytes.length

let places: Record<string, Map<string, Uint8Array>>
let written: string[]

beforeEach(() => {
  places = {}
  written = []
  for (const name of ['a', 'b', 'c'])
    places[name] = new Map([
      [descriptorKey, descriptor],
      [pack.key, pack.bytes],
      [snapshot.key, snapshot.bytes],
    ])
})

class TellingStorage extends InMemoryStorage {
  readonly #name: string

  constructor(name: string) {
    super({ objects: places[name] as Map<string, Uint8Array> })
    this.#name = name
  }

  override async put(...[key, data, options]: Parameters<InMemoryStorage['put']>): Promise<void> {
    if (!key.startsWith('sessions/')) written.push(`${this.#name} ${key}`)
    await super.put(key, data, options)
  }
}

const plugins = {
  openStorage: async ({ name }: { name: string }) => new IntegrityStorage(new TellingStorage(name)),
  comesWithBkp: () => true,
} as unknown as PluginAccess

async function sync(order: string, dryRun: boolean) {
  const all = [...order].map((name) => ({ name, url: `memory:${name}` }))
  const parts = { plugins, now: Date.now, onFellOver: () => undefined }
  const result = await syncReplicas({ from: all, to: all, create: false, dryRun }, parts)
  const told = result.destinations.map(({ name, objects, bytes }) => `${name} ${objects} ${bytes}`).sort()
  return { told, damaged: result.damaged.map(({ key }) => key) }
}

const cutOff = (name: string, length: number) => places[name]?.set(pack.key, pack.bytes.slice(0, length))

describe.each(['abc', 'bca', 'cab'])('sync of an object of several sizes, in the order %s', (order) => {
  it('writes the one that was cut off, and no sound one', async () => {
    cutOff('a', 100)
    const lacks = [`a 1 ${size}`, 'b 0 0', 'c 0 0']
    expect((await sync(order, true)).told).toEqual(lacks)
    expect(written).toEqual([])
    expect((await sync(order, false)).told).toEqual(lacks)
    expect(written).toEqual([`a ${pack.key}`])
    expect((await sync(order, true)).told).toEqual(['a 0 0', 'b 0 0', 'c 0 0'])
  })

  it('writes all that were cut off, alike or not', async () => {
    for (const length of [100, 50]) {
      cutOff('a', 100)
      cutOff('c', length)
      written = []
      const lacks = [`a 1 ${size}`, 'b 0 0', `c 1 ${size}`]
      expect((await sync(order, true)).told).toEqual(lacks)
      expect((await sync(order, false)).told).toEqual(lacks)
      expect(written.sort()).toEqual([`a ${pack.key}`, `c ${pack.key}`])
    }
  })

  it('gives a place that lacks it the sound one', async () => {
    cutOff('a', 100)
    places.c?.delete(pack.key)
    const lacks = [`a 1 ${size}`, 'b 0 0', `c 1 ${size}`]
    expect((await sync(order, true)).told).toEqual(lacks)
    expect((await sync(order, false)).told).toEqual(lacks)
    expect(Buffer.from(places.c?.get(pack.key) ?? [])).toEqual(pack.bytes)
  })

  it('writes none where none is sound', async () => {
    cutOff('a', 100)
    cutOff('b', 50)
    cutOff('c', 50)
    const { told, damaged } = await sync(order, false)
    expect(told).toEqual(['a 0 0', 'b 0 0', 'c 0 0'])
    expect(damaged).toEqual([pack.key])
    expect(written).toEqual([])
  })
})

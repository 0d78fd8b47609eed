import { InMemoryStorage } from '@bkp/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import type { TransferLimits } from '../../config/destination.js'
import { createDescriptor, encodeDescriptor } from '../../format/descriptor.js'
import { descriptorKey } from '../../format/ids.js'
import { IntegrityStorage } from '../../ports/integrity.js'
import type { EngineEvent, MigrateOptions } from '../api.js'
import type { PluginAccess } from '../plugin-access.js'
import { migrate } from './migrate.js'
import { keysIn, objectOf } from './testing/replicas.js'

const descriptor = encodeDescriptor(createDescriptor('ab'.repeat(16), '2026-11-24T00:00:00.000Z', new Uint8Array(32)))
const pack = objectOf('packs', 'a pack '.repeat(1000))
const index = objectOf('index', 'an index')
const snapshot = objectOf('snapshots', 'a snapshot')

let source: Map<string, Uint8Array>
let target: Map<string, Uint8Array>
let events: EngineEvent[]
let onPut: (key: string) => void

beforeEach(() => {
  source = new Map([[descriptorKey, descriptor]])
  for (const { key, bytes } of [pack, index, snapshot]) source.set(key, bytes)
  target = new Map()
  events = []
  onPut = () => undefined
})

class TellingStorage extends InMemoryStorage {
  override async put(...[key, data, options]: Parameters<InMemoryStorage['put']>): Promise<void> {
    await super.put(key, data, options)
    onPut(key)
  }
}

const plugins = {
  openStorage: async ({ name }: { name: string }) =>
    new IntegrityStorage(new TellingStorage({ objects: name === 'from' ? source : target })),
} as unknown as PluginAccess

interface Settings extends Partial<Pick<MigrateOptions, 'readBack' | 'dryRun'>> {
  readonly limits?: TransferLimits
  readonly fromLimits?: TransferLimits
}

function run({ readBack = true, dryRun = false, limits = {}, fromLimits = {} }: Settings = {}) {
  return migrate(
    {
      from: { name: 'from', url: 'memory:from', limits: fromLimits },
      to: { name: 'to', url: 'memory:to', limits },
      readBack,
      dryRun,
      confirm: async () => true,
      onEvent: (event) => events.push(event),
    },
    plugins,
    Date.now,
  )
}

describe('migrate', () => {
  it('tells one progress of copying and reading back, to the very end', async () => {
    const { state, plan } = await run()
    expect(state).toBe('complete')
    const progress = events.filter((event) => event.kind === 'progress')
    expect(progress.map(({ filesDone }) => filesDone)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    const { filesDone, bytesDone, totalFiles, totalBytes, storedBytes } = progress.at(-1) ?? {}
    expect([totalFiles, totalBytes, storedBytes]).toEqual([filesDone, bytesDone, plan.bytesToCopy])
  })

  it('plans with the limits of both places, whichever is slower, and with reading back', async () => {
    const bytes = [...source.values()].reduce((sum, { length }) => sum + length, 0)
    const planned = async (limits: TransferLimits, readBack = true) =>
      (await run({ dryRun: true, limits, readBack })).plan
    const slow = await planned({ uploadBytesPerSecond: 10, downloadBytesPerSecond: 20 })
    expect(slow.secondsToCopy).toBeCloseTo(bytes / 10, 3)
    expect(slow.secondsToReadBack).toBeCloseTo(slow.bytes / 20, 3)
    expect(slow.seconds).toBeCloseTo(bytes / 10 + slow.bytes / 20, 3)
    expect((await planned({ uploadBytesPerSecond: 10 }, false)).secondsToReadBack).toBe(0)
    expect((await planned({ uploadBytesPerSecond: 0 })).seconds).toBeUndefined()
    const { plan } = await run({ dryRun: true, fromLimits: { downloadBytesPerSecond: 5 } })
    expect(plan.secondsToCopy).toBeCloseTo(bytes / 5, 3)
    expect(target.size).toBe(0)
  })

  it('takes along what a backup stores at the source meanwhile', async () => {
    const newer = [objectOf('packs', 'newer'), objectOf('snapshots', 'newer')]
    onPut = (key) => {
      if (key === snapshot.key) for (const { key: added, bytes } of newer) source.set(added, bytes)
    }
    const { state, copiedObjects, verifiedObjects } = await run()
    expect([state, copiedObjects, verifiedObjects]).toEqual(['complete', 6, 6])
    expect(await keysIn(new InMemoryStorage({ objects: target }))).toEqual([...source.keys()].sort())
  })

  it('does not wait for what the source has no more, e.g. after prune', async () => {
    const other = objectOf('packs', 'pruned')
    source.set(other.key, other.bytes)
    onPut = () => source.delete(other.key)
    const { state, faults } = await run()
    expect([state, faults]).toEqual(['complete', []])
  })

  it('replaces what has wrong bytes at the target, of the same size or another one', async () => {
    await run()
    target.set(pack.key, Buffer.from(pack.bytes).fill(0, 10, 20))
    target.set(index.key, new Uint8Array(3))
    target.set(descriptorKey, Buffer.concat([descriptor, Buffer.from('\n')]))
    const { state, copiedObjects, replacedObjects } = await run()
    expect([state, copiedObjects, replacedObjects]).toEqual(['complete', 1, 2])
    for (const [key, bytes] of source) expect(Buffer.compare(target.get(key) ?? new Uint8Array(), bytes)).toBe(0)
  })

  it('refuses to move a repository to where it is', async () => {
    const place = { name: 'from', url: 'memory:from' }
    const confirm = async () => true
    const moving = migrate({ from: place, to: place, readBack: true, dryRun: false, confirm }, plugins, Date.now)
    await expect(moving).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('same place') })
  })

  it('keeps what is sound at the target and cut short at the source', async () => {
    await run()
    source.set(pack.key, pack.bytes.subarray(5))
    expect(await run()).toMatchObject({ state: 'complete', faults: [] })
    expect(target.get(pack.key)).toHaveLength(pack.bytes.length)
    target.delete(pack.key)
    const { state, faults } = await run()
    expect([state, faults.map(({ key }) => key)]).toEqual(['incomplete', [pack.key]])
  })
})

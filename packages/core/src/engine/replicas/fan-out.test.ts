import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PortError, type PutOptions, type Storage, type StorageCapabilities } from '@bkp/plugin-api'
import { FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EngineEvent } from '../api.js'
import { FanOut } from './fan-out.js'
import { transfersFor } from './replica-writer.js'
import { Spool } from './spool.js'
import { keysIn, objectOf, replicaOf } from './testing/replicas.js'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bkp-spool-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const packs = Array.from({ length: 12 }, (_, n) => objectOf('packs', `pack ${n}`.padEnd(100, '.')))
const segment = objectOf('index', 'a segment')
const nameOf = (key: string) => key.slice('packs/aa/'.length)

/** A far storage whose puts wait until they are let through. */
class SlowStorage extends InMemoryStorage {
  override readonly capabilities: StorageCapabilities = { ...new InMemoryStorage().capabilities, isLocal: false }
  readonly order: string[] = []
  #isOpen = false
  readonly #waiting: (() => void)[] = []

  open(): void {
    this.#isOpen = true
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  override async put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    const copy = data.slice()
    if (!this.#isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    await super.put(key, copy, options)
    this.order.push(key)
  }
}

/** Never answers, but hears that it may stop; the second fails at once. */
class HangingStorage extends SlowStorage {
  #puts = 0

  override async put(_key: string, _data: Uint8Array, options?: PutOptions): Promise<void> {
    if (++this.#puts > 1) throw new PortError('quota', 'full')
    await new Promise((_, reject) => options?.signal?.addEventListener('abort', () => reject(options.signal?.reason)))
  }
}

function fanOutTo(storages: Record<string, Storage>, spool?: Spool) {
  const events: EngineEvent[] = []
  const replicas = Object.entries(storages).map(([name, storage]) => replicaOf(name, storage))
  const { signal } = new AbortController()
  const fanOut = new FanOut({ replicas, spool, signal, onEvent: (event) => events.push(event) })
  return { fanOut, events, replicas }
}

const far = () => {
  const storage = new SlowStorage()
  storage.open()
  return storage
}

/** Memory is used again as soon as a pack is given back. */
async function giveAndOverwrite(fanOut: FanOut, { key, bytes }: { key: string; bytes: Uint8Array }): Promise<void> {
  const memory = Uint8Array.from(bytes)
  await fanOut.pack(nameOf(key), memory)
  memory.fill(0)
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const marker = Symbol('pending')
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(marker)])) === marker
}

describe('a run to several destinations', () => {
  it('breaks off what is under way where one failed: nobody waits for a destination that is given up', async () => {
    const [a, b] = [far(), new HangingStorage()]
    const { fanOut, replicas } = fanOutTo({ a, b })
    await Promise.all(packs.slice(0, 3).map((pack) => fanOut.pack(nameOf(pack.key), pack.bytes)))
    await fanOut.settled()
    expect(replicas[1]?.failure).toMatchObject({ code: 'quota' })
    expect(await keysIn(a)).toHaveLength(3)
  })

  it('stores on each the packs first, then what names them', async () => {
    const [a, b] = [far(), far()]
    const { fanOut } = fanOutTo({ a, b })
    for (const pack of packs) await giveAndOverwrite(fanOut, pack)
    fanOut.putAfter(segment.key, segment.bytes)
    await fanOut.settled()
    for (const storage of [a, b]) {
      expect(storage.order.at(-1)).toBe(segment.key)
      expect(await keysIn(storage)).toEqual([...packs.map(({ key }) => key), segment.key].sort())
    }
  })

  it('goes on while one is slow, keeps its packs in the spool, and gives them to it later, whole', async () => {
    const slow = new SlowStorage()
    const spool = new Spool({ directory: join(directory, 'run'), limitBytes: 10_000 })
    const { fanOut } = fanOutTo({ fast: far(), slow }, spool)
    const giving = packs.map((pack) => giveAndOverwrite(fanOut, pack))
    await Promise.all(giving.slice(2))
    expect(readdirSync(join(directory, 'run'))).toHaveLength(packs.length - 2)
    slow.open()
    await Promise.all(giving)
    await fanOut.settled()
    for (const { key, bytes } of packs) expect(Buffer.from(await slow.get(key))).toEqual(Buffer.from(bytes))
    expect(spool.usedBytes).toBe(0)
    await spool.close()
    expect(readdirSync(directory)).toEqual([])
  })

  it.each([
    [1, 4],
    [2, 2],
    [3, 1],
    [9, 1],
  ])('with %i destinations sends each at most %i packs at a time, so that memory does not grow', (count, most) => {
    expect(transfersFor(count)).toBe(most)
  })

  it('waits for a slow one when the spool is full', async () => {
    const slow = new SlowStorage()
    const spool = new Spool({ directory: join(directory, 'run'), limitBytes: 250 })
    const { fanOut } = fanOutTo({ fast: far(), slow }, spool)
    const giving = packs.map((pack) => giveAndOverwrite(fanOut, pack))
    expect(await isPending(Promise.all(giving))).toBe(true)
    expect(spool.usedBytes).toBe(200)
    slow.open()
    await Promise.all(giving)
    await fanOut.settled()
    expect(await keysIn(slow)).toEqual(packs.map(({ key }) => key).sort())
    await spool.close()
  })

  it('reads packs for a slow one from a destination on this machine rather than spool them', async () => {
    const slow = new SlowStorage()
    const near = new InMemoryStorage()
    Object.assign(near, { capabilities: { ...near.capabilities, isLocal: true } })
    const spool = new Spool({ directory: join(directory, 'run'), limitBytes: 10_000 })
    const { fanOut } = fanOutTo({ slow, near }, spool)
    const giving = packs.map((pack) => giveAndOverwrite(fanOut, pack))
    await Promise.all(giving.slice(transfersFor(1)))
    expect(readdirSync(directory)).toEqual([])
    slow.open()
    await Promise.all(giving)
    await fanOut.settled()
    for (const { key, bytes } of packs) expect(Buffer.from(await slow.get(key))).toEqual(Buffer.from(bytes))
  })

  it('goes on without one that fails, and writes nothing more there', async () => {
    const error = new PortError('quota', 'The bucket is full')
    const inner = far()
    const full = new FaultyStorage(inner, [
      { kind: 'failure', call: 'put', moment: 'before', error, when: { kind: 'numbers', numbers: [2] } },
    ])
    const fast = far()
    const { fanOut, events, replicas } = fanOutTo({ fast, full })
    for (const pack of packs) await giveAndOverwrite(fanOut, pack)
    fanOut.putAfter(segment.key, segment.bytes)
    await fanOut.settled()
    expect(await keysIn(fast)).toHaveLength(packs.length + 1)
    expect(await keysIn(inner)).not.toContain(segment.key)
    expect(full.callsOf('put')).toBeLessThan(packs.length)
    expect(replicas[1]?.failure).toMatchObject({ code: 'quota' })
    expect(events.filter(({ kind }) => kind === 'destination-lost')).toEqual([
      { kind: 'destination-lost', name: 'full', message: 'The bucket is full' },
    ])
  })

  it('does not wait for what a destination was to be given when others have ended its part', async () => {
    const slow = new SlowStorage()
    const spool = new Spool({ directory: join(directory, 'run'), limitBytes: 500 })
    const { fanOut, replicas } = fanOutTo({ fast: far(), slow }, spool)
    const giving = packs.map((pack) => giveAndOverwrite(fanOut, pack))
    expect(await isPending(Promise.all(giving))).toBe(true)
    replicas[1]?.giveUp(new PortError('offline', 'nobody answers'))
    slow.open()
    await Promise.all(giving)
    await fanOut.settled()
    expect(spool.usedBytes).toBe(0)
  })

  it('fails when no destination is left', async () => {
    const error = new PortError('offline', 'nobody answers')
    const dead = () =>
      new FaultyStorage(far(), [{ kind: 'failure', call: 'put', moment: 'before', error, when: { kind: 'every' } }])
    const { fanOut } = fanOutTo({ a: dead(), b: dead() })
    const [first] = packs
    if (first === undefined) throw new Error('There are packs')
    await expect(giveAndOverwrite(fanOut, first)).rejects.toMatchObject({ code: 'offline' })
  })

  it('waits in memory where the spool cannot be written', async () => {
    const slow = new SlowStorage()
    writeFileSync(join(directory, 'file'), '')
    const spool = new Spool({ directory: join(directory, 'file', 'run'), limitBytes: 10_000 })
    const { fanOut } = fanOutTo({ fast: far(), slow }, spool)
    const giving = packs.map((pack) => giveAndOverwrite(fanOut, pack))
    expect(await isPending(Promise.all(giving))).toBe(true)
    slow.open()
    await Promise.all(giving)
    await fanOut.settled()
    for (const { key, bytes } of packs) expect(Buffer.from(await slow.get(key))).toEqual(Buffer.from(bytes))
  })
})

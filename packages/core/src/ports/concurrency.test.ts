import { setImmediate as nextTurn } from 'node:timers/promises'
import { describeStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { ConcurrencyStorage } from './concurrency.js'
import { GatedStorage } from './testing/gated-storage.js'

const bytes = new Uint8Array(3)
const reason = new Error('the user pressed Ctrl-C')

describeStorage('with a limit of transfers', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new ConcurrencyStorage(new InMemoryStorage({ objects }), 2)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('ConcurrencyStorage', () => {
  function gated(limit: number) {
    const inner = new GatedStorage()
    return { inner, storage: new ConcurrencyStorage(inner, limit) }
  }

  it('lets no more puts and gets run at once than it may, in their order', async () => {
    const { inner, storage } = gated(3)
    const puts = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((key) => storage.put(key, bytes))
    const read = storage.get('a')
    await nextTurn()
    expect(inner.kept).toEqual(['a', 'b', 'c'])
    inner.letGo(1)
    while (inner.kept.length < 3) await nextTurn()
    expect(inner.kept).toEqual(['b', 'c', 'd'])
    let isDone = false
    const all = Promise.all([...puts, read]).then(() => {
      isDone = true
    })
    while (!isDone) {
      inner.letGo()
      await nextTurn()
    }
    await all
    expect(inner.mostRunning).toBe(3)
  })

  it('answers lists, stats, removals and heartbeats while all places are taken', async () => {
    const { inner, storage } = gated(1)
    const put = storage.put('big', bytes)
    await InMemoryStorage.prototype.put.call(inner, 'old', bytes)
    expect(await storage.stat('old')).toEqual({ key: 'old', sizeBytes: 3 })
    const keys: string[] = []
    for await (const { key } of storage.list('')) {
      keys.push(key)
      // The taker of a list makes calls of its own, also with one place.
      await storage.remove('old')
    }
    expect(keys).toEqual(['old'])
    const heartbeat = storage.put('sessions/1', bytes)
    await nextTurn()
    expect(inner.kept).toEqual(['big', 'sessions/1'])
    inner.letGo()
    await Promise.all([put, heartbeat])
  })

  it('lets who waits in the queue leave at once, with the reason, and gives the place to the next', async () => {
    const { inner, storage } = gated(1)
    const controller = new AbortController()
    const first = storage.put('first', bytes)
    const left = storage.put('left', bytes, { signal: controller.signal })
    const next = storage.put('next', bytes)
    await nextTurn()
    controller.abort(reason)
    await expect(left).rejects.toBe(reason)
    expect(inner.kept).toEqual(['first'])
    inner.letGo()
    await first
    while (inner.kept.length === 0) await nextTurn()
    expect(inner.kept).toEqual(['next'])
    inner.letGo()
    await next
  })

  it('does not begin when it is aborted before', async () => {
    const { inner, storage } = gated(1)
    await expect(storage.get('a', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(inner.signals).toEqual([])
  })

  it('gives the place back when a call fails', async () => {
    const error = new Error('once')
    const inner = new InMemoryStorage()
    inner.get = async () => Promise.reject(error)
    const storage = new ConcurrencyStorage(inner, 1)
    await expect(storage.get('a')).rejects.toBe(error)
    await expect(storage.get('a', { signal: new AbortController().signal })).rejects.toBe(error)
    await storage.put('a', bytes)
  })
})

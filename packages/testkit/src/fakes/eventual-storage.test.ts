import { describe, expect, it } from 'vitest'
import { describeStorage } from '../storage/describe-storage.js'
import { listed } from '../storage/observations.js'
import { EventualStorage } from './eventual-storage.js'
import { InMemoryStorage } from './in-memory-storage.js'

describeStorage('whose lists are late', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new EventualStorage(new InMemoryStorage({ objects }), 2)
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('EventualStorage', () => {
  const keysOf = async (storage: EventualStorage) => (await listed(storage, '')).map(({ key }) => key)

  it('lists a new object only after some lists, while get has it at once', async () => {
    const storage = new EventualStorage(new InMemoryStorage(), 2)
    await storage.put('new', Buffer.from('1'))
    expect(Buffer.from(await storage.get('new')).toString()).toBe('1')
    expect([await keysOf(storage), await keysOf(storage), await keysOf(storage)]).toEqual([[], [], ['new']])
  })

  it('goes on listing what was removed, and the old size of what was replaced', async () => {
    const inner = new InMemoryStorage()
    await inner.put('gone', new Uint8Array(1))
    await inner.put('grown', new Uint8Array(1))
    const storage = new EventualStorage(inner, 1)
    await storage.remove('gone')
    await storage.put('grown', new Uint8Array(2))
    expect(await listed(storage, 'g')).toEqual([
      { key: 'gone', sizeBytes: 1 },
      { key: 'grown', sizeBytes: 1 },
    ])
    expect(await listed(storage, 'g')).toEqual([{ key: 'grown', sizeBytes: 2 }])
  })

  it('does not list what was refused', async () => {
    const storage = new EventualStorage(new InMemoryStorage(), 0)
    await storage.put('one', new Uint8Array(1))
    await expect(storage.put('one', new Uint8Array(2), { ifAbsent: true })).rejects.toThrow('one')
    expect(await listed(storage, '')).toEqual([{ key: 'one', sizeBytes: 1 }])
  })
})

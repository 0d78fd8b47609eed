import { PortError } from '@bkp/plugin-api'
import { FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { type FellOver, ReplicatedStorage } from './replicated-storage.js'
import { keysIn, objectOf, replicaOf } from './testing/replicas.js'

const offline = new PortError('offline', 'nobody answers')
const pack = objectOf('packs', 'a pack')

function recorder() {
  const notes: string[] = []
  const note: FellOver = (from, to, key, reason) => notes.push(`${from.name} → ${to.name}: ${key}: ${reason.message}`)
  return { notes, note }
}

function failing(call: 'put' | 'get' | 'list' | 'remove', error: PortError) {
  return new FaultyStorage(new InMemoryStorage(), [
    { kind: 'failure', call, moment: 'before', error, when: { kind: 'every' } },
  ])
}

describe('a replicated storage', () => {
  it('reads from the first, and says nothing', async () => {
    const [a, b] = [replicaOf('a'), replicaOf('b')]
    const { notes, note } = recorder()
    const both = new ReplicatedStorage([a, b], note)
    await both.put(pack.key, pack.bytes)
    expect(await both.get(pack.key)).toEqual(new Uint8Array(pack.bytes))
    expect(await keysIn(a.storage)).toEqual([pack.key])
    expect(await keysIn(b.storage)).toEqual([pack.key])
    expect(notes).toEqual([])
  })

  it('reads what one has not from the next, and says so', async () => {
    const [a, b] = [replicaOf('a'), replicaOf('b')]
    await b.storage.put(pack.key, pack.bytes)
    const { notes, note } = recorder()
    expect(await new ReplicatedStorage([a, b], note).get(pack.key)).toEqual(new Uint8Array(pack.bytes))
    expect(notes).toHaveLength(1)
    expect(notes[0]).toContain(`a → b: ${pack.key}`)
  })

  it('reads what is damaged at one from the next', async () => {
    const damaged = new InMemoryStorage()
    await damaged.put(pack.key, Buffer.from('other bytes'))
    const [a, b] = [replicaOf('a', damaged), replicaOf('b')]
    await b.storage.put(pack.key, pack.bytes)
    const { notes, note } = recorder()
    expect(await new ReplicatedStorage([a, b], note).get(pack.key)).toEqual(new Uint8Array(pack.bytes))
    expect(notes[0]).toContain('do not have the SHA-256')
  })

  it('asks one that is offline last from then on', async () => {
    const dead = failing('get', offline)
    const [a, b] = [replicaOf('a', dead), replicaOf('b')]
    await b.storage.put(pack.key, pack.bytes)
    const both = new ReplicatedStorage([a, b], () => undefined)
    for (let n = 0; n < 5; n++) await both.get(pack.key)
    expect(dead.callsOf('get')).toBe(1)
  })

  it('gives the first error when none has it', async () => {
    const both = new ReplicatedStorage([replicaOf('a', failing('get', offline)), replicaOf('b')], () => undefined)
    await expect(both.get(pack.key)).rejects.toMatchObject({ code: 'offline' })
  })

  it('lists what any has, each once, and goes on without one that cannot list', async () => {
    const other = objectOf('packs', 'another')
    const [a, b, c] = [replicaOf('a'), replicaOf('b'), replicaOf('c', failing('list', offline))]
    for (const { storage } of [a, b]) await storage.put(pack.key, pack.bytes)
    await b.storage.put(other.key, other.bytes)
    const { notes, note } = recorder()
    expect(await keysIn(new ReplicatedStorage([c, a, b], note))).toEqual([pack.key, other.key].sort())
    expect(notes).toEqual(['c → a: : nobody answers'])
  })

  it('waits for one that is dead once, not for every list', async () => {
    const dead = failing('list', offline)
    const both = new ReplicatedStorage([replicaOf('a', dead), replicaOf('b')], () => undefined)
    for (let n = 0; n < 3; n++) await keysIn(both)
    expect(dead.callsOf('list')).toBe(1)
  })

  it('does not list one that takes no part any more, while there is another', async () => {
    const [a, b] = [replicaOf('a'), replicaOf('b')]
    await a.storage.put(pack.key, pack.bytes)
    a.giveUp(offline)
    expect(await keysIn(new ReplicatedStorage([a, b], () => undefined))).toEqual([])
    expect(await keysIn(new ReplicatedStorage([a], () => undefined))).toEqual([pack.key])
  })

  it('removes what it can where one fails, and fails when all do', async () => {
    const [a, b] = [replicaOf('a', failing('remove', offline)), replicaOf('b')]
    await b.storage.put(pack.key, pack.bytes)
    await new ReplicatedStorage([a, b], () => undefined).remove(pack.key)
    expect(await keysIn(b.storage)).toEqual([])
    const alone = new ReplicatedStorage([a], () => undefined)
    await expect(alone.remove(pack.key)).rejects.toMatchObject({ code: 'offline' })
  })

  it('rejects a list when none can list', async () => {
    const alone = new ReplicatedStorage([replicaOf('a', failing('list', offline))], () => undefined)
    await expect(keysIn(alone)).rejects.toMatchObject({ code: 'offline' })
  })

  it('writes to all, and ends the part of one that refuses', async () => {
    const [a, b] = [replicaOf('a'), replicaOf('b', failing('put', new PortError('quota', 'full')))]
    const both = new ReplicatedStorage([a, b], () => undefined)
    await both.put(pack.key, pack.bytes)
    expect(await keysIn(a.storage)).toEqual([pack.key])
    expect([a.failure, b.failure?.message]).toEqual([undefined, 'full'])
  })

  it('rejects a put when all refuse, and lets all take part further', async () => {
    const a = replicaOf('a', failing('put', new PortError('quota', 'full')))
    await expect(new ReplicatedStorage([a], () => undefined).put(pack.key, pack.bytes)).rejects.toMatchObject({
      code: 'quota',
    })
    expect(a.failure).toBeUndefined()
  })
})

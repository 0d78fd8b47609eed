import type { GetOptions, Storage } from '@bkp/plugin-api'
import { expectPortRejection, type Fault, FaultyStorage, InMemoryStorage, randomLikeBytes } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { indexKey, objectNameOf, packKey, slotKey, snapshotKey } from '../format/ids.js'
import { IntegrityStorage } from './integrity.js'
import { defaultRetryPolicy, RetryingStorage } from './retrying.js'

const bytes = randomLikeBytes(10_000)
const name = objectNameOf(bytes)
const session = `sessions/${name.slice(0, 32)}`
const named = [packKey(name), indexKey(name), snapshotKey(name), slotKey(name), `condemned/${name}`]
const every = { kind: 'every' } as const
const flip: Fault = { kind: 'bit-flip', bit: 12_345, when: every }
const cut: Fault = { kind: 'truncation', missingBytes: 1, when: every }

/** All kinds of objects, with the same bytes, behind the given faults. */
async function storageWith(...faults: Fault[]): Promise<Storage> {
  const inner = new InMemoryStorage()
  for (const key of [...named, session, 'bkp.json', 'notes']) await inner.put(key, bytes)
  return new FaultyStorage(inner, faults)
}

async function keysOf(storage: Storage, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of storage.list(prefix)) keys.push(key)
  return keys.sort()
}

function listing(...keys: string[]): Storage {
  const inner = new InMemoryStorage()
  inner.list = async function* () {
    for (const key of keys) yield { key, sizeBytes: 1 }
  }
  return new IntegrityStorage(inner)
}

describe('IntegrityStorage', () => {
  it.each(named)('gives %s whole when its bytes have its name', async (key) => {
    expect(Buffer.compare(await new IntegrityStorage(await storageWith()).get(key), bytes)).toBe(0)
  })

  it.each(named)('refuses %s whole as corrupt when a bit is wrong or a byte is missing', async (key) => {
    for (const fault of [flip, cut]) {
      const storage = new IntegrityStorage(await storageWith(fault))
      await expect(storage.get(key)).rejects.toMatchObject({ code: 'corrupt', message: expect.stringContaining(key) })
    }
  })

  it('refuses a whole object also when it was read into memory of the caller', async () => {
    const storage = new IntegrityStorage(await storageWith(flip))
    await expectPortRejection('corrupt', () => storage.get(packKey(name), { into: new Uint8Array(bytes.length) }))
  })

  it('leaves to others what no name tells: sessions, the descriptor, and ranges', async () => {
    const storage = new IntegrityStorage(await storageWith(flip))
    for (const key of [session, 'bkp.json']) expect(await storage.get(key)).toHaveLength(bytes.length)
    expect(await storage.get(packKey(name), { offset: 0 })).toHaveLength(bytes.length)
    expect(await storage.get(packKey(name), { offset: 5, length: 100 })).toHaveLength(100)
  })

  it('does not take another object in place of one', async () => {
    const inner = new InMemoryStorage()
    await inner.put(packKey(name), randomLikeBytes(10_000, 2))
    await expectPortRejection('corrupt', () => new IntegrityStorage(inner).get(packKey(name)))
  })

  const ranges: readonly GetOptions[] = [
    { offset: 5, length: 100 },
    { offset: 0, length: 1 },
    { length: bytes.length },
    { offset: 9900, into: new Uint8Array(100) },
  ]

  it.each(ranges)('refuses an answer that is too short as transient: %o', async (range) => {
    const storage = new IntegrityStorage(await storageWith(cut))
    await expectPortRejection('transient', () => storage.get(packKey(name), range))
  })

  it('refuses an answer that is too long as transient', async () => {
    const inner = new InMemoryStorage()
    inner.get = async () => bytes
    await expectPortRejection('transient', () =>
      new IntegrityStorage(inner).get(packKey(name), { offset: 5, length: 100 }),
    )
  })

  it('below a retry makes up for an answer that was short once', async () => {
    const short: Fault = { kind: 'truncation', missingBytes: 1, when: { kind: 'numbers', numbers: [1] } }
    const policy = { ...defaultRetryPolicy, retries: 1, firstDelayMs: 1 }
    const storage = new RetryingStorage(new IntegrityStorage(await storageWith(short)), { policy })
    const range = await storage.get(packKey(name), { offset: 5, length: 100 })
    expect(Buffer.compare(range, bytes.subarray(5, 105))).toBe(0)
  })

  it('lists what is ours, and nothing that lies beside it', async () => {
    const storage = new IntegrityStorage(await storageWith())
    expect(await keysOf(storage, '')).toEqual([...named, session, 'bkp.json'].sort())
    expect(await keysOf(storage, 'packs/')).toEqual([packKey(name)])
  })

  it('passes on no name that a storage may have made up', async () => {
    const odd = [
      '../bkp.json',
      '/etc/passwd',
      'packs/../keys/x',
      `packs/zz/${name}`,
      `${packKey(name)}.tmp`,
      '',
      'packs/',
    ]
    expect(await keysOf(listing(...odd, packKey(name)), '')).toEqual([packKey(name)])
  })

  it('passes on no name that was not asked for', async () => {
    expect(await keysOf(listing(packKey(name), indexKey(name), 'bkp.json'), 'index/')).toEqual([indexKey(name)])
  })

  it('passes everything else through', async () => {
    const inner = new InMemoryStorage()
    const storage = new IntegrityStorage(inner)
    await storage.put('bkp.json', bytes, { ifAbsent: true })
    await expectPortRejection('already-exists', () => storage.put('bkp.json', bytes, { ifAbsent: true }))
    expect(await storage.stat('bkp.json')).toEqual({ key: 'bkp.json', sizeBytes: bytes.length })
    await storage.remove('bkp.json')
    await expectPortRejection('not-found', () => inner.get('bkp.json'))
    await expectPortRejection('not-found', () => storage.get('bkp.json'))
    expect(storage.capabilities).toBe(inner.capabilities)
    await storage.close()
  })
})

import { PortError } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { describeStorage } from '../storage/describe-storage.js'
import { expectAbsent, expectBytes, expectStored, listed, rejectionOf } from '../storage/observations.js'
import { expectPortRejection } from '../support/port-failures.js'
import { randomLikeBytes, withFlippedBit } from '../support/samples.js'
import { type Fault, FaultyStorage } from './faulty-storage.js'
import { InMemoryStorage } from './in-memory-storage.js'

const error = new PortError('throttled', 'too many calls', { retryAfterMs: 1500, hint: 'Wait' })
const bytes = randomLikeBytes(100)
const nth = (...numbers: number[]) => ({ kind: 'numbers', numbers }) as const

async function faulty(...faults: Fault[]) {
  const inner = new InMemoryStorage()
  await inner.put('object', bytes)
  await inner.put('other', bytes)
  return { inner, storage: new FaultyStorage(inner, faults) }
}

describeStorage('faulty, without a fault', {
  async open() {
    const objects = new Map<string, Uint8Array>()
    const reopen = async () => new FaultyStorage(new InMemoryStorage({ objects }), [])
    return { storage: await reopen(), reopen, dispose: async () => objects.clear() }
  },
})

describe('FaultyStorage', () => {
  it('fails the calls whose numbers it was given, with all that the error says, and no others', async () => {
    const { inner, storage } = await faulty({ kind: 'failure', call: 'put', moment: 'before', error, when: nth(2, 3) })
    await storage.put('one', bytes)
    const failure = await rejectionOf(() => storage.put('two', bytes))
    expect(failure).toMatchObject({ code: 'throttled', message: 'too many calls', retryAfterMs: 1500, hint: 'Wait' })
    await expectPortRejection('throttled', () => storage.put('two', bytes))
    await expectAbsent(inner, 'two')
    await storage.put('two', bytes)
    await storage.get('two')
    expect([storage.callsOf('put'), storage.callsOf('get'), storage.callsOf('stat')]).toEqual([4, 1, 0])
  })

  it('can do everything and lose the answer', async () => {
    const { inner, storage } = await faulty(
      { kind: 'failure', call: 'put', moment: 'after', error, when: nth(1) },
      { kind: 'failure', call: 'remove', moment: 'after', error, when: nth(1) },
    )
    await expectPortRejection('throttled', () => storage.put('new', bytes))
    await expectStored(inner, 'new', bytes)
    await expectPortRejection('throttled', () => storage.remove('new'))
    await expectAbsent(inner, 'new')
  })

  it('breaks a list before or after its first object', async () => {
    const { storage } = await faulty(
      { kind: 'failure', call: 'list', moment: 'before', error, when: nth(1) },
      { kind: 'failure', call: 'list', moment: 'after', error, when: nth(2) },
    )
    for (const expected of [0, 1]) {
      let seen = 0
      await expectPortRejection('throttled', async () => {
        for await (const { key } of storage.list('')) seen += key.length > 0 ? 1 : 0
      })
      expect(seen).toBe(expected)
    }
    expect(await listed(storage, '')).toHaveLength(2)
  })

  it('cuts off what get gives, and leaves what is stored', async () => {
    const { inner, storage } = await faulty({ kind: 'truncation', missingBytes: 30, when: nth(1) })
    expectBytes(await storage.get('object'), bytes.subarray(0, 70))
    expectBytes(await storage.get('object'), bytes)
    await expectStored(inner, 'object', bytes)
  })

  it('flips one bit of what get gives, and leaves what is stored', async () => {
    const { inner, storage } = await faulty({ kind: 'bit-flip', bit: 77, when: { kind: 'every' } })
    expectBytes(await storage.get('object'), withFlippedBit(bytes, 77))
    await expectStored(inner, 'object', bytes)
  })

  it('fails at random as often as it should, and alike for the same seed', async () => {
    const failuresOf = async (seed: number) => {
      const when = { kind: 'random', probability: 0.2, seed } as const
      const { storage } = await faulty({ kind: 'failure', call: 'stat', moment: 'before', error, when })
      const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, () => storage.stat('object')))
      return outcomes.map(({ status }) => status === 'rejected')
    }
    const [one, again, other] = [await failuresOf(1), await failuresOf(1), await failuresOf(2)]
    const count = one.filter(Boolean).length
    expect(count).toBeGreaterThan(150)
    expect(count).toBeLessThan(250)
    expect(again).toEqual(one)
    expect(other).not.toEqual(one)
  })
})

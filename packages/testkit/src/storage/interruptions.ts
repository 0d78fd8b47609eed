import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Storage } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectAbsent, expectBytes, expectListed, expectStored, forEachParallel, rejectionOf } from './observations.js'

const reason = new Error('the user pressed Ctrl-C')
const old = randomLikeBytes(1000, 1)
const large = randomLikeBytes(16 * 1_048_576, 2)

const calls: Readonly<Record<string, (storage: Storage, options: CallOptions) => Promise<unknown>>> = {
  put: (storage, options) => storage.put('new', old, options),
  'put on top of an object': (storage, options) => storage.put('old', Buffer.from('new'), options),
  'put that must not replace': (storage, options) => storage.put('new', old, { ...options, ifAbsent: true }),
  get: (storage, options) => storage.get('old', options),
  stat: (storage, options) => storage.stat('old', options),
  list: (storage, options) => drain(storage, '', options),
  remove: (storage, options) => storage.remove('old', options),
}

export function describeInterruptions({ withStorage }: StorageUnderTest): void {
  describe('a signal', () => {
    it.each(Object.entries(calls))('that was there before stops %s with its reason, and nothing changes', (_, call) =>
      withStorage(async (storage) => {
        await storage.put('old', old)
        expect(await rejectionOf(() => call(storage, { signal: AbortSignal.abort(reason) }))).toBe(reason)
        await expectStored(storage, 'old', old)
        await expectListed(storage, '', [{ key: 'old', sizeBytes: old.length }])
      }),
    )

    it.each([
      ['a new object', false],
      ['a new object that must not replace', true],
    ])('in the middle of a put of %s leaves all of it or nothing', (_name, ifAbsent) =>
      withStorage(async (storage) => {
        for (const [n, delayMs] of [0, 1, 3, 8, 20].entries()) {
          const key = `packs/ab/object-${n}`
          const isStored = await interrupted(delayMs, (signal) => storage.put(key, large, { signal, ifAbsent }))
          if (isStored) await expectStored(storage, key, large)
          else await expectNothingOrAll(storage, key)
        }
      }),
    )

    it('in the middle of a put on top of an object leaves the old or the new', () =>
      withStorage(async (storage) => {
        for (const delayMs of [0, 2, 15]) {
          await storage.put('sessions/one', old)
          const isNew = await interrupted(delayMs, (signal) => storage.put('sessions/one', large, { signal }))
          const stored = await storage.get('sessions/one')
          const isLate = !storage.capabilities.isLocal && stored.length === large.length
          expectBytes(stored, isNew || isLate ? large : old)
        }
        expect((await storage.stat('sessions/one')).key).toBe('sessions/one')
      }))

    it('in the middle of a get gives all bytes or the reason', () =>
      withStorage(async (storage) => {
        await storage.put('packs/ab/object', large)
        for (const delayMs of [0, 1, 5]) {
          let read: Uint8Array | undefined
          const isRead = await interrupted(delayMs, async (signal) => {
            read = await storage.get('packs/ab/object', { signal })
          })
          expect(read !== undefined).toBe(isRead)
          if (read !== undefined) expectBytes(read, large)
        }
      }))

    it('in the middle of a get gives memory that was lent for it back: over a network at once, else at its end', () =>
      withStorage(async (storage) => {
        await storage.put('packs/ab/object', large)
        const into = new Uint8Array(large.length)
        for (const delayMs of [0, 1, 5, 20]) {
          const controller = new AbortController()
          const reading = rejectionOf(() => storage.get('packs/ab/object', { into, signal: controller.signal }))
          await sleep(delayMs)
          controller.abort(reason)
          if (storage.capabilities.isLocal) await reading
          // As its owner, who has other bytes in it now.
          into.fill(0xab)
          await reading
          await sleep(50)
          expect(into.every((byte) => byte === 0xab)).toBe(true)
        }
      }))

    it.each(['index/', 'packs/'])('in the middle of a list of %s ends it with the reason', (prefix) =>
      withStorage(async (storage) => {
        const keys = Array.from({ length: 40 }, (_, n) => (prefix === 'index/' ? `index/${n}` : `packs/${n}/${n}`))
        await forEachParallel(keys, (key) => storage.put(key, old))
        await expectListed(
          storage,
          prefix,
          keys.map((key) => ({ key, sizeBytes: old.length })),
        )
        const controller = new AbortController()
        let seen = 0
        const error = await rejectionOf(async () => {
          for await (const _object of storage.list(prefix, { signal: controller.signal })) {
            seen++
            controller.abort(reason)
          }
        })
        expect(error).toBe(reason)
        expect(seen).toBeGreaterThan(0)
      }),
    )

    it('stops its own call alone, and the storage goes on', () =>
      withStorage(async (storage) => {
        const controller = new AbortController()
        const stopped = rejectionOf(() => storage.put('stopped', large, { signal: controller.signal }))
        const others = ['a', 'b', 'c'].map((key) => storage.put(key, old))
        controller.abort(reason)
        await Promise.all(others)
        expect([reason, 'nothing was thrown']).toContain(await stopped)
        for (const key of ['a', 'b', 'c']) await expectStored(storage, key, old)
      }))

    it('that comes after the end changes nothing', () =>
      withStorage(async (storage) => {
        const controller = new AbortController()
        await storage.put('object', old, { signal: controller.signal })
        controller.abort(reason)
        await expectStored(storage, 'object', old)
      }))
  })
}

/** Whether the call came to its end before it was stopped. Rejects unless it ended with the reason. */
async function interrupted(delayMs: number, call: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
  const controller = new AbortController()
  const calling = rejectionOf(() => call(controller.signal))
  if (delayMs > 0) await sleep(delayMs)
  controller.abort(reason)
  const outcome = await calling
  expect([reason, 'nothing was thrown']).toContain(outcome)
  return outcome !== reason
}

/** A far side may have everything already when a put is stopped, and show it a moment later. Here on this machine there is no such excuse. */
async function expectNothingOrAll(storage: Storage, key: string): Promise<void> {
  try {
    await expectAbsent(storage, key)
  } catch (error) {
    if (storage.capabilities.isLocal) throw error
    await expectStored(storage, key, large)
  }
}

async function drain(storage: Storage, prefix: string, options: CallOptions): Promise<void> {
  for await (const { key } of storage.list(prefix, options)) expect(key.startsWith(prefix)).toBe(true)
}

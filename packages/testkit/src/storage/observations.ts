import { setTimeout as sleep } from 'node:timers/promises'
import { isPortError, type PortErrorCode, type Storage, type StoredObject } from '@bkp/plugin-api'
import { expect } from 'vitest'

/** Longest time that a storage with eventual listing is waited for. */
const settleMs = 20_000

/** Everything that a list gives, in its order. */
export async function listed(storage: Storage, prefix: string): Promise<StoredObject[]> {
  const objects: StoredObject[] = []
  for await (const object of storage.list(prefix)) objects.push(object)
  return objects
}

/** Expects that a list gives exactly these objects, each once; where listing is eventual, after a while. */
export async function expectListed(storage: Storage, prefix: string, expected: readonly StoredObject[]): Promise<void> {
  const wanted = lines(expected)
  const deadline = Date.now() + settleMs
  let seen = lines(await listed(storage, prefix))
  while (storage.capabilities.listing === 'eventual' && seen !== wanted && Date.now() < deadline) {
    await sleep(20)
    seen = lines(await listed(storage, prefix))
  }
  expect(seen).toBe(wanted)
}

/** Expects that no call knows the key. */
export async function expectAbsent(storage: Storage, key: string): Promise<void> {
  await expectFailure('not-found', key, () => storage.get(key))
  await expectFailure('not-found', key, () => storage.stat(key))
  const remaining = (await listed(storage, key)).filter((object) => object.key === key)
  if (storage.capabilities.listing === 'strong') expect(remaining).toEqual([])
}

/** Expects that get, stat and list agree that these bytes lie under the key. */
export async function expectStored(storage: Storage, key: string, bytes: Uint8Array): Promise<void> {
  expectBytes(await storage.get(key), bytes)
  expect(await storage.stat(key)).toEqual({ key, sizeBytes: bytes.length })
  await expectListed(storage, key, [{ key, sizeBytes: bytes.length }])
}

/** As `toEqual`, also for many megabytes. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  expect(Buffer.compare(actual, expected)).toBe(0)
}

/** Expects a rejection with this code, and a message that says which key it is about. */
export async function expectFailure(code: PortErrorCode, key: string, action: () => Promise<unknown>): Promise<void> {
  const error = await rejectionOf(action)
  expect(isPortError(error) ? error.code : error).toBe(code)
  expect(isPortError(error) ? error.message : '').toContain(key)
}

/** What `action` rejects with. It has to. */
export async function rejectionOf(action: () => Promise<unknown>): Promise<unknown> {
  try {
    await action()
  } catch (error) {
    return error
  }
  return 'nothing was thrown'
}

/** Runs `action` on all items, some at a time. */
export async function forEachParallel<T>(items: readonly T[], action: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const work = async () => {
    for (const item of waiting) await action(item)
  }
  await Promise.all(Array.from({ length: 16 }, work))
}

function lines(objects: readonly StoredObject[]): string {
  const sorted = objects.map(({ key, sizeBytes }) => `${key} ${sizeBytes}`).sort()
  return sorted.join('\n')
}

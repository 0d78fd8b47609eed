import { describe, it } from 'vitest'
import { inSharedMemory, randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectStored } from './observations.js'

const mebibyte = 1_048_576
// Around what buffers, pages, streams and parts of multipart uploads usually measure.
const sizes = [0, 1, 2, 4095, 4096, 4097, 65_535, 65_536, 65_537, 512 * 1024 + 1, mebibyte, 5 * mebibyte + 1]
const largest = 64 * mebibyte

export function describeSizes({ withStorage }: StorageUnderTest): void {
  describe('put, get, stat and list agree', () => {
    it.each([...sizes, largest])('on %i bytes, also when opened anew', (sizeBytes) =>
      withStorage(async (storage, { reopen }) => {
        const bytes = randomLikeBytes(sizeBytes, sizeBytes)
        await storage.put('packs/ab/object', bytes)
        await expectStored(storage, 'packs/ab/object', bytes)
        await expectStored(await reopen(), 'packs/ab/object', bytes)
      }),
    )

    it('on bytes from the middle of larger memory', () =>
      withStorage(async (storage) => {
        const memory = randomLikeBytes(10_000)
        await storage.put('object', memory.subarray(17, 9001))
        await expectStored(storage, 'object', memory.slice(17, 9001))
      }))

    it('on bytes in memory that threads share', () =>
      withStorage(async (storage) => {
        const bytes = randomLikeBytes(100_000)
        await storage.put('object', inSharedMemory(bytes))
        await expectStored(storage, 'object', bytes)
      }))
  })

  describe('memory', () => {
    it('that was put may be used again at once', () =>
      withStorage(async (storage) => {
        const memory = randomLikeBytes(300_000)
        const before = memory.slice()
        await storage.put('object', memory)
        expectBytes(memory, before)
        memory.fill(0)
        await expectStored(storage, 'object', before)
      }))

    it('that get gave belongs to the caller', () =>
      withStorage(async (storage) => {
        const bytes = randomLikeBytes(1000)
        await storage.put('object', bytes)
        const [one, other] = await Promise.all([storage.get('object'), storage.get('object')])
        one.fill(0)
        expectBytes(other, bytes)
        await expectStored(storage, 'object', bytes)
      }))
  })
}

import type { GetOptions } from '@bkp/plugin-api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GuardedBytes, inSharedMemory, randomLikeBytes } from '../support/samples.js'
import type { StorageUnderTest } from './describe-storage.js'
import { expectBytes, expectFailure } from './observations.js'

const key = 'packs/ab/object'
const size = 100_003
const bytes = randomLikeBytes(size)

type Range = Pick<GetOptions, 'offset' | 'length'>

const legal: readonly (readonly [string, Range])[] = [
  ['the first byte', { offset: 0, length: 1 }],
  ['the beginning, without an offset', { length: 1000 }],
  ['the middle', { offset: 50_000, length: 1000 }],
  ['the last byte', { offset: size - 1, length: 1 }],
  ['the end, without a length', { offset: size - 1000 }],
  ['the last byte, without a length', { offset: size - 1 }],
  ['all, told in numbers', { offset: 0, length: size }],
  ['all but the first byte', { offset: 1 }],
  ['all but the last byte', { length: size - 1 }],
  ['nothing of the beginning', { offset: 0, length: 0 }],
  ['nothing of the middle', { offset: 50_000, length: 0 }],
  ['nothing before the last byte', { offset: size - 1, length: 0 }],
  ['nothing behind the last byte', { offset: size, length: 0 }],
  ['what follows the last byte, without a length', { offset: size }],
]

const illegal: readonly (readonly [string, Range])[] = [
  ['ends one byte behind the end', { offset: 0, length: size + 1 }],
  ['ends one byte behind the end, without an offset', { length: size + 1 }],
  ['crosses the end', { offset: size - 1, length: 2 }],
  ['begins at the end', { offset: size, length: 1 }],
  ['begins one byte behind the end', { offset: size + 1, length: 1 }],
  ['begins one byte behind the end, of no length', { offset: size + 1, length: 0 }],
  ['begins one byte behind the end, without a length', { offset: size + 1 }],
  ['begins far behind the end', { offset: 10_000_000_000, length: 1 }],
]

const cut = ({ offset = 0, length = size - offset }: Range) => bytes.subarray(offset, offset + length)

export function describeRanges({ withStorage }: StorageUnderTest): void {
  describe('a range', () => {
    it.each(legal)('gives exactly %s', (_name, range) =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        expectBytes(await storage.get(key, range), cut(range))
      }),
    )

    it.each(illegal)('that %s is range-invalid', (_name, range) =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        await expectFailure('range-invalid', key, () => storage.get(key, range))
      }),
    )

    it('of an empty object is empty, or range-invalid', () =>
      withStorage(async (storage) => {
        await storage.put(key, new Uint8Array(0))
        expectBytes(await storage.get(key, { offset: 0, length: 0 }), new Uint8Array(0))
        expectBytes(await storage.get(key, { offset: 0 }), new Uint8Array(0))
        await expectFailure('range-invalid', key, () => storage.get(key, { offset: 0, length: 1 }))
        await expectFailure('range-invalid', key, () => storage.get(key, { offset: 1, length: 0 }))
      }))

    it('may lie anywhere', () =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        const anywhere = fc
          .tuple(fc.integer({ min: 0, max: size }), fc.integer({ min: 0, max: size }))
          .map(([one, other]) => ({ offset: Math.min(one, other), length: Math.abs(one - other) }))
        await fc.assert(
          fc.asyncProperty(anywhere, async (range) => {
            expectBytes(await storage.get(key, range), cut(range))
          }),
          { numRuns: 50 },
        )
      }))
  })

  describe('memory for the result', () => {
    it('takes every legal range, or is left unused', () =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        for (const range of [...legal.map(([, legalRange]) => legalRange), {}]) {
          const memory = new GuardedBytes(cut(range).length)
          expectBytes(await storage.get(key, { ...range, into: memory.middle }), cut(range))
          expect(memory.isIntact).toBe(true)
        }
      }))

    it('may be shared with threads', () =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        const range = { offset: 1234, length: 65_537 }
        const into = inSharedMemory(new Uint8Array(range.length))
        expectBytes(await storage.get(key, { ...range, into }), cut(range))
      }))

    it('makes no range legal that is not', () =>
      withStorage(async (storage) => {
        await storage.put(key, bytes)
        const into = new Uint8Array(2)
        await expectFailure('range-invalid', key, () => storage.get(key, { offset: size - 1, length: 2, into }))
      }))
  })
}

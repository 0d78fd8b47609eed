import { describe, expect, it } from 'vitest'
import type { StorageUnderTest } from './describe-storage.js'

/** Headers of HTTP have whole seconds, and a busy machine answers late. */
const toleranceMs = 30_000

export function describeClock({ withStorage }: StorageUnderTest): void {
  describe('the clock of the far side', () => {
    it('is told in milliseconds since 1970, or not at all', () =>
      withStorage(async (storage) => {
        const told = await storage.now?.()
        if (storage.now === undefined) return expect(told).toBeUndefined()
        // The servers of tests run on this machine.
        expect(Math.abs((told ?? 0) - Date.now())).toBeLessThan(toleranceMs)
      }))
  })
}

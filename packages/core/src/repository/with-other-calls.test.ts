import { InMemoryStorage } from '@bkp/testkit'
import { expect, it } from 'vitest'
import { withOtherCalls } from './with-other-calls.js'

it('a storage with other calls is the same otherwise, also in what it learns of its server', async () => {
  const inner = new InMemoryStorage()
  const bytes = new Uint8Array([1])
  const storage = withOtherCalls(inner, { get: async () => bytes })
  expect(await storage.get('absent')).toBe(bytes)
  await expect(storage.stat('absent')).rejects.toMatchObject({ code: 'not-found' })
  const learnt = { ...inner.capabilities, conditionalCreate: !inner.capabilities.conditionalCreate }
  Object.defineProperty(inner, 'capabilities', { value: learnt })
  expect(storage.capabilities).toEqual(learnt)
})

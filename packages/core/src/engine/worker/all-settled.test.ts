import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { allSettled } from './all-settled.js'

it('gives all values', async () => {
  expect(await allSettled([1, Promise.resolve('two'), setTimeout(5, 3)])).toEqual([1, 'two', 3])
})

it('fails when the last has come to its end, with the first failure', async () => {
  const ended: string[] = []
  const slow = setTimeout(30).then(() => ended.push('slow'))
  await expect(allSettled([Promise.reject(new Error('a')), slow, Promise.reject(new Error('b'))])).rejects.toThrow('a')
  expect(ended).toEqual(['slow'])
})

import { describe, expect, it } from 'vitest'
import { missingOptions } from './destination-options.js'

const schema = {
  type: 'object',
  properties: {
    user: { type: 'string', 'x-bkp-ask': true },
    region: { type: 'string' },
    password: { type: 'string', 'x-bkp-secret': true, 'x-bkp-env': 'PASSWORD' },
    token: { type: 'string', 'x-bkp-secret': true, 'x-bkp-ask': false },
    bucket: { type: 'string', 'x-bkp-ask': false },
  },
  required: ['bucket'],
}
const names = (given: readonly string[], env = {}) => missingOptions(schema, given, env).map(({ name }) => name)

describe('options that are asked for', () => {
  it('are what is required, secrets, and what the storage says; not secrets that it says few need', () => {
    expect(names([])).toEqual(['user', 'password', 'bucket'])
  })

  it('are not those that something gives already', () => {
    expect(names(['user', 'bucket'], { PASSWORD: 'x' })).toEqual([])
  })
})

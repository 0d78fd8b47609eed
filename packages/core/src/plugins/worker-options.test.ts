import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { refuseSecrets } from './worker-options.js'

const secret = { type: 'string', 'x-bkp-secret': true }
const schema = {
  type: 'object',
  properties: {
    host: { type: 'string' },
    token: secret,
    pass: { type: 'string', 'x-bkp-secret': false },
    login: { type: 'object', properties: { name: { type: 'string' }, password: secret } },
    keys: { type: 'array', items: secret },
  },
}
const refuse = (configuration: Readonly<Record<string, unknown>>) =>
  refuseSecrets(schema, configuration, { owner: 'the source "db"', packageName: 'bkp-source-db' })

describe('options of what runs in threads', () => {
  it('may be all but secrets', () => {
    expect(() => refuse({ host: 'a', pass: 'b', login: { name: 'c' }, keys: [], other: { token: 'd' } })).not.toThrow()
  })

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['token', { host: 'a', token: 'hush-hush' }],
    ['token', { token: '' }],
    ['login.password', { login: { name: 'a', password: 'hush-hush' } }],
    ['keys.1', { keys: [undefined, 'hush-hush'] }],
  ])('are refused by name, and never shown: %s', (name, configuration) => {
    let refused: unknown
    try {
      refuse(configuration)
    } catch (error) {
      refused = error
    }
    expect(refused).toMatchObject({
      code: 'usage',
      message: `The option ${name} of the source "db" is a secret, and is not taken: others could see it`,
      hint: expect.stringContaining('author of bkp-source-db'),
    })
    expect(inspect(refused)).not.toContain('hush')
  })
})

import { isSecret, type JsonSchema, Secret } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { destinationOf } from '../config/destination.js'
import { isBkpError } from '../errors/index.js'
import { resolveStorageOptions } from './storage-options.js'

const hidden = 'hunter2-hunter2'

const schema: JsonSchema = {
  type: 'object',
  properties: {
    region: { type: 'string', 'x-bkp-env': 'TEST_REGION' },
    port: { type: 'integer', minimum: 1, maximum: 65535 },
    pathStyle: { type: 'boolean', 'x-bkp-flavour': 'any' },
    ciphers: { type: 'array', items: { type: 'string' } },
    class: { enum: ['hot', 'cold'] },
    secretKey: { type: 'string', minLength: 8, 'x-bkp-secret': true, 'x-bkp-env': 'TEST_SECRET' },
  },
  additionalProperties: false,
}

const at = (url: string, options?: Readonly<Record<string, unknown>>) => ({
  name: 'cloud',
  url,
  ...(options === undefined ? {} : { options }),
})

async function failureOf(url: string, options?: Readonly<Record<string, unknown>>, env = {}): Promise<string> {
  const error = await resolveStorageOptions(at(url, options), schema, env).catch((reason: unknown) => reason)
  expect(isBkpError(error, 'usage')).toBe(true)
  const { message, hint, stack } = error as Error & { hint?: string }
  expect(`${message} ${hint} ${stack}`).not.toContain(hidden)
  return message
}

describe('options of a storage', () => {
  it('come from the query before the configuration, and from the environment where nothing else gives them', async () => {
    const env = { TEST_REGION: 'from-environment', TEST_SECRET: hidden }
    const region = async (url: string, options?: Readonly<Record<string, unknown>>) =>
      (await resolveStorageOptions(at(url, options), schema, env)).configuration.region
    expect(await region('xx://b?region=from-query', { region: 'from-configuration' })).toBe('from-query')
    expect(await region('xx://b', { region: 'from-configuration' })).toBe('from-configuration')
    expect(await region('xx://b')).toBe('from-environment')
  })

  it('in a query become what the schema wants, and the URL is without it', async () => {
    const url = 'xx://b/p?port=22&pathStyle=true&ciphers=a&ciphers=b&region=eu%20west'
    expect(await resolveStorageOptions(at(url), schema)).toEqual({
      url: 'xx://b/p',
      configuration: { port: 22, pathStyle: true, ciphers: ['a', 'b'], region: 'eu west' },
    })
    const { configuration } = await resolveStorageOptions(at('xx://b?ciphers=a'), schema)
    expect(configuration).toEqual({ ciphers: ['a'] })
  })

  it('of a path are none: a question mark is a part of its name', async () => {
    expect(await resolveStorageOptions(destinationOf('/mnt/what?/x'))).toEqual({
      url: '/mnt/what?/x',
      configuration: {},
    })
  })

  it('that are secrets arrive as Secret, wherever they come from', async () => {
    for (const [options, env] of [
      [{ secretKey: new Secret(hidden) }, {}],
      [{ secretKey: hidden }, {}],
      [{}, { TEST_SECRET: hidden }],
    ] as const) {
      const { configuration } = await resolveStorageOptions(at('xx://b', options), schema, env)
      expect(isSecret(configuration.secretKey) && configuration.secretKey.reveal()).toBe(hidden)
    }
  })

  it('that are secrets are refused in a URL, and so is a password in it', async () => {
    expect(await failureOf(`xx://b?secretKey=${hidden}`)).toContain('"secretKey" is a secret')
    expect(await failureOf(`xx://ann:${hidden}@b`)).toContain('holds a password')
  })

  it.each([
    ['xx://b?port=many', undefined, 'Destination cloud: option port must be integer'],
    ['xx://b?port=70000', undefined, 'option port must be <= 65535'],
    ['xx://b', { port: '22' }, 'option port must be integer'],
    ['xx://b', { class: 'warm' }, 'option class must be one of hot, cold'],
    ['xx://b', { regoin: 'eu' }, 'option regoin is not known; did you mean "region"?'],
    ['xx://b?colour=red', undefined, 'option colour is not known; known are region, port'],
    ['xx://b?port=1&port=2', undefined, 'option port must be integer'],
    ['xx://b', { secretKey: new Secret('short') }, 'option secretKey must not have fewer than 8 characters'],
  ])('of %s and %o are refused with name, path and reason', async (url, options, reason) => {
    expect(await failureOf(url, options)).toContain(reason)
  })

  it('that are missing are named with the variable that may give them', async () => {
    const needy = { ...schema, required: ['region'] }
    await expect(resolveStorageOptions(at('xx://b'), needy)).rejects.toThrow(
      'option region is missing; it may also come from the environment variable TEST_REGION',
    )
    await expect(resolveStorageOptions(at('xx://b'), needy, { TEST_REGION: 'eu' })).resolves.toMatchObject({
      configuration: { region: 'eu' },
    })
  })

  it('are none for a storage without a schema', async () => {
    await expect(resolveStorageOptions(at('xx://b?a=1'), undefined)).rejects.toThrow(
      'option a is not known; there are none',
    )
    expect(await resolveStorageOptions(at('xx://b'), undefined)).toEqual({ url: 'xx://b', configuration: {} })
  })

  it('never show a secret of the URL by which a destination is called', async () => {
    const error = await resolveStorageOptions(destinationOf(`xx://b?secretKey=${hidden}`), schema).catch(String)
    expect(error).toContain('Destination xx://b:')
    expect(error).not.toContain(hidden)
  })

  it('of a plugin whose schema has a keyword that nobody knows are its fault', async () => {
    const wrong = { type: 'object', properties: { a: { type: 'string', minLenght: 1 } } }
    await expect(resolveStorageOptions(at('xx://b?a=1'), wrong)).rejects.toMatchObject({ code: 'plugin-failed' })
  })
})

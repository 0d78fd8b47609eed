import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { endpointOf } from './endpoint.js'

describe('endpointOf', () => {
  it('leaves AWS to the SDK', () => {
    expect(endpointOf({})).toEqual({
      url: undefined,
      isEncrypted: true,
      region: undefined,
      isPathStyle: false,
      isAws: true,
      isConditional: true,
    })
  })

  it.each([
    ['https://s3.eu-central-003.backblazeb2.com', 'eu-central-003'],
    ['s3.eu-west-2.wasabisys.com', 'eu-west-2'],
    ['https://s3.wasabisys.com', 'us-east-1'],
    ['https://0123456789abcdef.r2.cloudflarestorage.com', 'auto'],
    ['https://s3.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['https://s3.dualstack.eu-west-1.amazonaws.com', 'eu-west-1'],
    ['http://127.0.0.1:9000', 'us-east-1'],
  ])('finds the region of %s', (endpoint, region) => expect(endpointOf({ endpoint }).region).toBe(region))

  it('believes the user before the name of the host', () => {
    const endpoint = 'https://s3.eu-central-003.backblazeb2.com'
    expect(endpointOf({ endpoint, region: 'garage', pathStyle: false })).toMatchObject({
      region: 'garage',
      isPathStyle: false,
    })
  })

  it.each([
    ['https://s3.eu-west-1.amazonaws.com', { isAws: true, isConditional: true, isPathStyle: false }],
    ['https://s3.cn-north-1.amazonaws.com.cn', { isAws: true, isConditional: true, isPathStyle: false }],
    ['https://id.r2.cloudflarestorage.com', { isAws: false, isConditional: true, isPathStyle: true }],
    ['https://s3.example.com', { isAws: false, isConditional: false, isPathStyle: true, isEncrypted: true }],
    ['https://amazonaws.com.example.com', { isAws: false }],
    ['http://localhost:9000', { isAws: false, isEncrypted: false, url: 'http://localhost:9000/' }],
    ['nas:9000', { url: 'https://nas:9000/' }],
  ])('knows %s', (endpoint, expected) => expect(endpointOf({ endpoint })).toMatchObject(expected))

  it.each(['ftp://nas', 'https://', 'a b', 'https://key:hunter2@nas'])('refuses %s', (endpoint) => {
    expectPortError('config', () => endpointOf({ endpoint }))
    expect(() => endpointOf({ endpoint })).toThrow(/^(?!.*hunter2)/)
  })
})

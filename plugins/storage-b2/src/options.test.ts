import { readFileSync } from 'node:fs'
import { Secret } from '@bkp/plugin-api'
import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { readOptions } from './options.js'

interface Property {
  readonly description?: string
  readonly default?: unknown
  readonly 'x-bkp-secret'?: boolean
  readonly 'x-bkp-env'?: string
}

const key = { applicationKeyId: 'id', applicationKey: new Secret('key') }
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const properties: Readonly<Record<string, Property>> = manifest.bkp.contributes.storage[0].configuration.properties

describe('options', () => {
  it('have the defaults that the manifest tells', () => {
    expect(readOptions(key)).toEqual({
      ...key,
      realmUrl: properties.realmUrl?.default,
      ca: undefined,
      removeBy: properties.removeBy?.default,
      oldVersions: properties.oldVersions?.default,
      fileLock: undefined,
      serverSideEncryption: properties.serverSideEncryption?.default,
      largeFileThresholdBytes: Number(properties.largeFileThresholdMiB?.default) * 1_048_576,
      partBytes: undefined,
      concurrency: properties.concurrency?.default,
      listPageSize: properties.listPageSize?.default,
      testMode: undefined,
    })
    const lock = readOptions({ ...key, fileLockMode: 'governance', fileLockDays: 3 }).fileLock
    expect(lock?.exceptPrefixes.join()).toBe(properties.fileLockExcept?.default)
  })

  it('are all described in the manifest and in the README, and the key alone is secret', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    for (const [name, property] of Object.entries(properties)) {
      expect(property.description).toMatch(/\w{3}/)
      expect(readme).toContain(`| \`${name}\` |`)
      expect(property['x-bkp-secret'] === true).toBe(name === 'applicationKey')
    }
    expect(properties.applicationKey?.['x-bkp-env']).toBe('B2_APPLICATION_KEY')
    expect(properties.applicationKeyId?.['x-bkp-env']).toBe('B2_APPLICATION_KEY_ID')
  })

  it.each([
    {},
    { applicationKeyId: 'id' },
    { applicationKey: new Secret('key') },
    { ...key, ca: '/no/such/file.pem' },
    { ...key, fileLockMode: 'compliance' },
  ])('that make no sense are refused: %j', (configuration) => {
    expectPortError('config', () => readOptions(configuration))
  })
})

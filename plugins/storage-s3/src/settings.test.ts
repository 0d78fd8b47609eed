import { readFileSync } from 'node:fs'
import { Secret } from '@bkp/plugin-api'
import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { settingsOf } from './settings.js'

const settings = (configuration: Readonly<Record<string, unknown>>) =>
  settingsOf({ url: 's3://bucket/place', configuration })
const elsewhere = { endpoint: 'https://s3.example.com' }
const secretAccessKey = new Secret('hunter2')

interface Property {
  readonly type?: string
  readonly description?: string
  readonly 'x-bkp-secret'?: boolean
  readonly default?: unknown
}
const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  bkp: { contributes: { storage: [{ configuration: { properties: Record<string, Property> } }] } }
}
const { properties } = manifest.bkp.contributes.storage[0].configuration

describe('the schema of the configuration', () => {
  it('has exactly the options that are read', () => {
    const read = new Set<string>()
    settings(new Proxy({}, { get: (_, name) => void read.add(String(name)) }))
    expect([...read].sort()).toEqual(Object.keys(properties).sort())
  })

  it.each(Object.entries(properties))('tells type and meaning of %s', (name, property) => {
    expect(['string', 'boolean', 'integer']).toContain(property.type)
    expect(property.description).toMatch(/^.{20,}[^.]$/)
    expect(property['x-bkp-secret'] === true).toBe(/^secret|Token$|^customerKey/.test(name))
  })

  it('tells the defaults that hold', () => {
    const told = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, property.default]))
    expect(settings(JSON.parse(JSON.stringify(told)))).toEqual(settings({}))
  })
})

describe('settingsOf', () => {
  it('leaves AWS what it knows best', () => {
    expect(settings({})).toMatchObject({
      location: { bucket: 'bucket', prefix: 'place/' },
      credentials: { kind: 'chain', profile: undefined },
      checksums: 'crc32',
      conditionalCreate: 'known',
      deleteVersions: false,
      partSizeBytes: 16 * 1024 * 1024,
      concurrency: 8,
    })
  })

  it('expects less of others', () => {
    expect(settings(elsewhere)).toMatchObject({ checksums: 'none', conditionalCreate: 'unsure' })
    expect(settings({ ...elsewhere, conditionalCreate: 'yes' })).toMatchObject({ conditionalCreate: 'known' })
    expect(settings({ conditionalCreate: 'no' })).toMatchObject({ conditionalCreate: 'missing' })
  })

  it('sends a checksum with a lock, and then removes versions', () => {
    const locked = { deleteVersions: true, objectLock: { mode: 'GOVERNANCE', days: 3 } }
    expect(settings({ ...elsewhere, objectLockDays: 3 })).toMatchObject({ ...locked, checksums: 'md5' })
    expect(settings({ objectLockMode: 'COMPLIANCE', objectLockDays: 3 })).toMatchObject({
      checksums: 'crc32',
      objectLock: { mode: 'COMPLIANCE', days: 3 },
    })
  })

  it('takes keys together, or a profile, or what the SDK finds', () => {
    const sessionToken = new Secret('token')
    expect(settings({ accessKeyId: 'key', secretAccessKey, sessionToken }).credentials).toEqual({
      kind: 'keys',
      accessKeyId: 'key',
      secretAccessKey,
      sessionToken,
    })
    expect(settings({ profile: 'backup' }).credentials).toEqual({ kind: 'chain', profile: 'backup' })
    expect(settings({ secretAccessKey }).credentials).toEqual({ kind: 'chain', profile: undefined })
  })

  it.each([
    { accessKeyId: 'key' },
    { accessKeyId: 'key', secretAccessKey, profile: 'backup' },
    { objectLockMode: 'COMPLIANCE' },
    { accessKeyId: 'key', secretAccessKey: 'not a Secret' },
    { concurrency: '4' },
  ])('refuses %o', (configuration) => expectPortError('config', () => settings(configuration)))

  it('shows no secret', () => {
    expect(JSON.stringify(settings({ accessKeyId: 'key', secretAccessKey }))).not.toContain('hunter2')
  })
})

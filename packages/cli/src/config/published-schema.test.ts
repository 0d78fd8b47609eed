import { readFileSync } from 'node:fs'
import { configSchema, configValues, parseConfig } from '@bkp/core/config'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { builtInNotifiers, builtInStorages } from '../composition/built-in-engine.js'
import { testStorages } from '../testing/samples.js'

const published = readFileSync(new URL('../../../../docs/config.schema.json', import.meta.url), 'utf8')

describe('the published schema of the configuration', () => {
  it('is what bkp checks with; npm run schemas writes it', async () => {
    expect(JSON.parse(published)).toEqual(configSchema(await builtInStorages(), await builtInNotifiers()))
  })

  it('takes every whole file in docs/configuration.md, and so does bkp', async () => {
    const page = readFileSync(new URL('../../../../docs/configuration.md', import.meta.url), 'utf8')
    const examples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text as string)
    expect(examples.length).toBeGreaterThan(0)
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(published))
    for (const text of examples) {
      const { warnings } = await parseConfig(text, await builtInStorages(), 'config.yaml', await builtInNotifiers())
      expect(warnings).toEqual([])
      expect(validate(configValues(text)), JSON.stringify(validate.errors)).toBe(true)
    }
  })

  it('knows the options of each storage by the scheme of the URL', () => {
    const ajv = new Ajv2020({ strict: false })
    const validate = ajv.compile(configSchema(testStorages))
    const withDestination = (destination: unknown) => ({
      version: 1,
      repositories: { r: { destinations: { d: destination } } },
    })
    expect(validate(withDestination('/mnt/disk'))).toBe(true)
    expect(validate(withDestination({ url: 'cloud://b', options: { secretKey: 'env:X', port: 22 } }))).toBe(true)
    expect(validate(withDestination({ url: 'cloud://b', options: { port: 'x' } }))).toBe(false)
    expect(validate(withDestination({ url: 'cloud://b', options: { prot: 22 } }))).toBe(false)
    expect(validate(withDestination({ url: 'other://b', options: { prot: 22 } }))).toBe(true)
  })
})

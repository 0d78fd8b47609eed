import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { manifestSchema } from './manifest-schema.js'

it('the published schema of plugin manifests is the one that manifests are checked with', () => {
  const published = readFileSync(new URL('../../../../docs/plugin-manifest.schema.json', import.meta.url), 'utf8')
  expect(JSON.parse(published)).toEqual(manifestSchema)
})

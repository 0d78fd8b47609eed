import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sampleNotification } from '@bkp/testkit'
import { expect, it } from 'vitest'
import * as notifier from '../../plugins/notifier-command/src/environment.js'
import * as source from '../../plugins/source-command/src/environment.js'

interface Option {
  readonly 'x-bkp-secret'?: boolean
  readonly 'x-bkp-env'?: string
}

const plugins = fileURLToPath(new URL('../../plugins', import.meta.url))

/** Every object in a manifest, however deep: options are some of them. */
function optionsIn(value: unknown): readonly Option[] {
  if (typeof value !== 'object' || value === null) return []
  return [value as Option, ...Object.values(value).flatMap(optionsIn)]
}

const secretVariables = readdirSync(plugins)
  .flatMap((name) => optionsIn(JSON.parse(readFileSync(`${plugins}/${name}/package.json`, 'utf8'))))
  .flatMap((option) => (option['x-bkp-secret'] === true ? (option['x-bkp-env'] ?? []) : []))
const isOurs = (name: string) => name.startsWith('BKP_')

it('no command gets a secret that a plugin of bkp takes from a variable of bkp, and every command gets the others', () => {
  expect(secretVariables.filter(isOurs)).toContain('BKP_WEBDAV_PASSWORD')
  const inherited = Object.fromEntries([...secretVariables, 'BKP_TO_PASSWORD', 'PATH'].map((name) => [name, 'x']))
  const passedOn = [...secretVariables.filter((name) => !isOurs(name)), 'PATH'].sort()
  expect(Object.keys(source.environmentOf(inherited)).sort()).toEqual(passedOn)
  const told = Object.keys(notifier.environmentOf(sampleNotification('failed'), undefined, inherited))
  expect(told.filter((name) => inherited[name] !== undefined).sort()).toEqual(passedOn)
})

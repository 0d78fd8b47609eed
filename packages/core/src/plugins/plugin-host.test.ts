import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { PluginManifest } from '@bkp/plugin-api'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterEach, describe, expect, it } from 'vitest'
import { destinationOf } from '../config/destination.js'
import { schemeOf } from '../config/destination-url.js'
import { ownKeywords } from '../config/schema-parts.js'
import { faultsOf } from './manifest.js'
import { PluginHost } from './plugin-host.js'

const pluginApi = fileURLToPath(new URL('../../../plugin-api/dist/bundle/index.js', import.meta.url))
const made: string[] = []

/** A plugin package in a folder of its own. */
function plugin(name: string, bkp: unknown, code = ''): string {
  const directory = mkdtempSync(join(tmpdir(), 'bkp-plugin-'))
  made.push(directory)
  mkdirSync(directory, { recursive: true })
  writeFileSync(
    join(directory, 'package.json'),
    JSON.stringify({ name, version: '1.0.0', type: 'module', exports: './index.js', bkp }),
  )
  writeFileSync(join(directory, 'index.js'), `import { definePlugin } from ${JSON.stringify(pluginApi)}\n${code}`)
  return directory
}

const storage = (id: string, scheme: string) => ({
  api: '^1.0.0',
  displayName: id,
  contributes: { storage: [{ id, schemes: [scheme] }] },
})

/** Source text of a storage that has every part and keeps nothing. */
const whole = `{
  capabilities: { conditionalCreate: false, listing: 'strong', canRemove: true, maxObjectBytes: 1e9, concurrency: 1, isLocal: true, objectLock: false },
  async put() {}, async get() { return new Uint8Array(0) }, async stat() {}, async *list() {}, async remove() {}, async close() {} }`

const warnings: string[] = []
const log = { debug: () => undefined, info: () => undefined, warn: (message: string) => void warnings.push(message) }
const host = (...installed: string[]) => PluginHost.fromDirectories({ bundled: [], installed }, log)

afterEach(() => {
  warnings.length = 0
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

describe('PluginHost', () => {
  it('opens a storage by scheme, and runs no code before that', async () => {
    const lazy = plugin(
      'lazy',
      storage('lazy', 'lazy'),
      `import { writeFileSync } from 'node:fs'
       writeFileSync(new URL('ran', import.meta.url), '')
       export default definePlugin({ activate(context) { context.registerStorage('lazy', async ({ url, intent, log }) => { log.warn(url + ' ' + intent); return ${whole} }) } })`,
    )
    const plugins = await host(lazy)
    expect(readdirSync(lazy)).not.toContain('ran')
    await plugins.openStorage(destinationOf('lazy://there'), 'open')
    expect(warnings).toEqual(['lazy://there open'])
    expect(readdirSync(lazy)).toContain('ran')
  })

  it('gives a storage its options, the URL without a query, and a way to ask', async () => {
    const contribution = {
      id: 'c',
      schemes: ['cc'],
      configuration: { type: 'object', properties: { a: { type: 'integer' } } },
    }
    const curious = plugin(
      'curious',
      { api: '^1.0.0', displayName: 'c', contributes: { storage: [contribution] } },
      `export default definePlugin({ activate(context) { context.registerStorage('c', async ({ url, configuration, log, confirm }) => {
         log.warn(JSON.stringify({ url, configuration, answers: [await confirm?.('one?'), await confirm?.('two?')] })); return ${whole} }) } })`,
    )
    const plugins = await host(curious)
    await plugins.openStorage(destinationOf('cc://x?a=7'), 'open', async (question) => question === 'two?')
    await plugins.openStorage(destinationOf('cc://x'), 'open')
    expect(warnings.map((text) => JSON.parse(text))).toEqual([
      { url: 'cc://x', configuration: { a: 7 }, answers: [false, true] },
      { url: 'cc://x', configuration: {}, answers: [null, null] },
    ])
  })

  it('names both plugins that claim one scheme', async () => {
    const good = plugin(
      'good',
      storage('good', 'good'),
      `export default definePlugin({ activate(context) { context.registerStorage('good', async () => (${whole})) } })`,
    )
    const plugins = await host(plugin('one', storage('a', 'xx')), plugin('two', storage('b', 'xx')), good)
    await expect(plugins.openStorage(destinationOf('xx://y'), 'open')).rejects.toMatchObject({
      code: 'plugin-failed',
      message: 'Both one and two claim the scheme xx:',
      hint: 'Uninstall one: bkp plugins uninstall one or bkp plugins uninstall two',
    })
    expect(warnings.join()).toContain('Both one and two claim the scheme xx:')
    expect(plugins.schemes()).toEqual(['good'])
    await expect(plugins.openStorage(destinationOf('good://y'), 'open')).resolves.toBeDefined()
  })

  it('prefers what comes with bkp, and says which plugin it leaves out', async () => {
    const own = plugin('own', storage('own', 'own'))
    const thief = plugin('thief', storage('other', 'own'))
    const plugins = await PluginHost.fromDirectories({ bundled: [own], installed: [thief] }, log)
    expect(warnings.join()).toContain('thief claims the scheme own:, which own of bkp itself has')
    expect(plugins.schemes()).toEqual(['own'])
  })

  it('refuses a plugin with the name of one that comes with bkp', async () => {
    const own = plugin('same', storage('own', 'own'))
    const thief = plugin('same', storage('other', 'other'))
    const plugins = await PluginHost.fromDirectories({ bundled: [own], installed: [thief] }, log)
    await expect(plugins.openStorage(destinationOf('other://x'), 'open')).rejects.toThrow(
      'same has the name of a plugin that comes with bkp',
    )
  })

  it.each([
    ['throws', 'throw new Error("broken inside")', 'broken inside'],
    ['registers nothing', '', 'declares the storage "bad" and does not register it'],
    ['registers what it did not declare', 'context.registerStorage("other", async () => ({}))', 'does not declare'],
  ])('names a plugin that %s, and what else there is still works', async (_, body, reason) => {
    const bad = plugin(
      'bad-plugin',
      storage('bad', 'bad'),
      `export default definePlugin({ activate(context) { ${body} } })`,
    )
    const good = plugin(
      'good-plugin',
      storage('good', 'good'),
      `export default definePlugin({ activate(context) { context.registerStorage('good', async () => (${whole})) } })`,
    )
    const plugins = await host(bad, good)
    const failure = await plugins.openStorage(destinationOf('bad://x'), 'open').catch((error: Error) => error)
    expect(failure).toMatchObject({ code: 'plugin-failed' })
    expect(String(failure)).toContain('bad-plugin')
    expect(String(failure)).toContain(reason)
    await expect(plugins.openStorage(destinationOf('good://x'), 'open')).resolves.toHaveProperty('put')
  })

  it('refuses an entry that was not made by definePlugin', async () => {
    const plugins = await host(plugin('plain', storage('plain', 'plain'), 'export default { activate() {} }'))
    await expect(plugins.openStorage(destinationOf('plain://x'), 'open')).rejects.toThrow('not made by definePlugin')
  })

  it('says which API a plugin wants and which there is', async () => {
    const old = plugin('old', { ...storage('o', 'oo'), api: '^0.5.0' })
    const plugins = await host(old)
    expect(warnings.join()).toMatch(/old is written for plugin API \^0\.5\.0, and this bkp has \d/)
    await expect(plugins.openStorage(destinationOf('oo://x'), 'open')).rejects.toMatchObject({
      code: 'plugin-failed',
      hint: expect.stringContaining('Install a newer version of old'),
    })
  })

  it('advises a newer bkp where a plugin is ahead of it', async () => {
    await host(plugin('ahead', { ...storage('o', 'oo'), api: '^9.0.0' }))
    expect(warnings.join()).toContain('Install a newer version of bkp, or an older one of ahead')
  })

  it('says what is wrong with a manifest, and where', async () => {
    const wrong = plugin('wrong', {
      api: '^1.0.0',
      displayName: 'x',
      contributes: { compression: [{ id: 'Z', module: '../out.js' }] },
    })
    await host(wrong)
    expect(warnings.join()).toContain('The manifest of wrong is not valid: bkp/contributes/compression/0/id')
  })

  it('fails what needs a plugin whose manifest is not valid, and nothing else', async () => {
    const wrong = plugin('wrong', { ...storage('w', 'ww'), displayName: '' })
    const plugins = await host(wrong, plugin('right', storage('r', 'r')))
    expect(plugins.schemes()).toEqual(['r'])
    await expect(plugins.openStorage(destinationOf('ww://x'), 'open')).rejects.toThrow('The manifest of wrong')
  })

  it('warns of a kind of contribution that it does not know', async () => {
    await host(plugin('newer', { api: '^1.0.0', displayName: 'x', contributes: { telepathy: [] } }))
    expect(warnings.join()).toContain('newer contributes "telepathy"')
  })

  it('names the schemes there are when one is missing', async () => {
    const plugins = await host(plugin('one', storage('a', 'xx')))
    await expect(plugins.openStorage(destinationOf('gopher://x'), 'open')).rejects.toMatchObject({
      code: 'missing-plugin',
      hint: expect.stringContaining('Schemes that are there: xx'),
    })
  })

  it('says how to get a notifier that is missing, and which are there', async () => {
    const plugins = await host(plugin('one', storage('a', 'xx')))
    await expect(
      plugins.openNotifier({ name: 'me', use: 'pigeon', options: {}, on: ['failed'] }),
    ).rejects.toMatchObject({
      code: 'missing-plugin',
      hint: expect.stringMatching(/^Install the plugin for the notifier "pigeon": bkp plugins:install .*there: none$/),
    })
  })

  it('validates a configuration by the schema of its contribution', async () => {
    const schema = {
      type: 'object',
      properties: { level: { type: 'integer', maximum: 9 } },
      additionalProperties: false,
    }
    const codec = {
      api: '^1.0.0',
      displayName: 'c',
      contributes: { compression: [{ id: 'c', module: './index.js', configuration: schema }] },
    }
    const plugins = await host(plugin('codec', codec))
    await expect(plugins.validate('compression', 'c', { level: 9 })).resolves.toBeUndefined()
    await expect(plugins.validate('compression', 'c', { level: 10 })).rejects.toThrow('level must be <= 9')
    await expect(plugins.validate('compression', 'lzma', {})).rejects.toMatchObject({
      code: 'missing-plugin',
      message: 'No installed plugin has the compression "lzma"',
      hint: expect.stringContaining('There are c;'),
    })
  })
})

describe('the plugins that come with bkp', () => {
  const plugins = fileURLToPath(new URL('../../../../plugins', import.meta.url))
  it.each(readdirSync(plugins))('%s has a valid manifest', async (name) => {
    const { bkp } = JSON.parse(readFileSync(join(plugins, name, 'package.json'), 'utf8')) as { bkp: unknown }
    expect(await faultsOf(bkp)).toEqual([])
    // Throws for what is no JSON Schema, and for keywords that nobody knows.
    const { contributes } = bkp as Pick<PluginManifest, 'contributes'>
    for (const { configuration } of Object.values(contributes).flat()) {
      const ajv = new Ajv2020({ validateFormats: false, strictTypes: false })
      ajv.addVocabulary(ownKeywords(configuration))
      if (configuration !== undefined) expect(ajv.compile(configuration)).toBeTypeOf('function')
    }
  })
})

describe('schemeOf', () => {
  it('takes paths, Windows drives included, as files', () => {
    expect(['/a', 'a/b', 'C:\\x', 'file:///a', 'S3://bucket', 's3+x://b'].map(schemeOf)).toEqual([
      'file',
      'file',
      'file',
      'file',
      's3',
      's3+x',
    ])
  })
})

import { describe, expect, it } from 'vitest'
import type { Finding, PluginPackage } from './finding.js'
import { lintPlugin } from './lint.js'

const entry = "import { definePlugin } from '@bkp/plugin-api'\nexport default definePlugin({ activate() {} })\n"

const sound = {
  name: 'bkp-storage-mine',
  version: '1.0.0',
  license: 'MIT',
  type: 'module',
  keywords: ['bkp-plugin'],
  engines: { node: '>=20.19.0' },
  exports: { '.': { types: './dist/index.d.ts', default: './dist/index.js' } },
  dependencies: { '@bkp/plugin-api': '^1.1.0' },
}

const manifest = {
  api: '^1.1.0',
  displayName: 'Mine',
  hosts: ['api.mine.test'],
  contributes: { storage: [{ id: 'mine', schemes: ['mine'] }] },
}

const files: Readonly<Record<string, string>> = {
  'package.json': '',
  'README.md': '',
  LICENSE: '',
  'dist/index.js': entry,
  'dist/index.d.ts': '',
}

const taken = [
  { port: 'storage', name: 's3', packageName: '@bkp/storage-s3' },
  { port: 'scheme', name: 's3', packageName: '@bkp/storage-s3' },
]

interface Changes {
  readonly json?: Readonly<Record<string, unknown>>
  readonly bkp?: Readonly<Record<string, unknown>>
  /** Undefined leaves a file out. */
  readonly files?: Readonly<Record<string, string | undefined>>
  readonly installed?: Partial<PluginPackage['installed']>
}

/** What is found in a sound plugin after some changes, as `level rule path`. */
async function found(changes: Changes = {}): Promise<readonly Finding[]> {
  const all = { ...files, ...changes.files }
  const plugin: PluginPackage = {
    json: { ...sound, bkp: { ...manifest, ...changes.bkp }, ...changes.json },
    files: Object.keys(all).filter((file) => all[file] !== undefined),
    installed: { nativeFiles: [], scripts: [], ...changes.installed },
    read: async (file) => all[file] ?? '',
  }
  return lintPlugin(plugin, { taken })
}

const told = async (changes: Changes) =>
  (await found(changes)).map(({ level, rule, path }) => `${level} ${rule} ${path}`)
const configured = (configuration: object) => ({
  bkp: { contributes: { storage: [{ id: 'mine', schemes: ['mine'], configuration }] } },
})
const option = (name: string, property: object) =>
  configured({ type: 'object', properties: { [name]: property }, additionalProperties: false })
const place = 'package.json#/bkp/contributes/storage/0'

describe('plugins lint', () => {
  it('has nothing against a sound plugin', async () => {
    expect(await found()).toEqual([])
  })

  it('says of everything how to mend it', async () => {
    const all = await found({
      json: { name: 'bkp', type: 'commonjs', oclif: {} },
      files: { 'dist/index.js': undefined },
    })
    expect(all.length).toBeGreaterThan(3)
    for (const { message, hint } of all) expect([message, hint]).not.toContain('')
  })

  describe('the manifest', () => {
    it.each<[string, Changes, string[]]>([
      ['is missing', { json: { bkp: undefined } }, ['error manifest package.json#/bkp']],
      ['has no name for people', { bkp: { displayName: '' } }, ['error manifest package.json#/bkp/displayName']],
      ['has a key that nobody knows', { bkp: { colour: 'red' } }, ['error manifest package.json#/bkp']],
      [
        'fills a port that nobody knows',
        { bkp: { contributes: { chunker: [] } } },
        ['error manifest package.json#/bkp/contributes/chunker'],
      ],
      ['contributes nothing', { bkp: { contributes: {} } }, ['error manifest package.json#/bkp/contributes']],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('schemas', () => {
    it.each<[string, Changes, string[]]>([
      [
        'have a misspelt keyword',
        option('a', { type: 'string', minLenght: 1 }),
        [`error schema ${place}/configuration`],
      ],
      [
        'have a keyword of bkp that is none',
        option('a', { type: 'string', 'x-bkp-sekret': true }),
        [`error schema ${place}/configuration`],
      ],
      [
        'are of another type',
        configured({ type: 'string', additionalProperties: false }),
        [`error schema ${place}/configuration`],
      ],
      ['let misspelt options pass', configured({ type: 'object' }), [`warning schema ${place}/configuration`]],
      [
        'show a password',
        option('password', { type: 'string' }),
        [`error secret ${place}/configuration/properties/password`],
      ],
      [
        'show a token',
        option('apiToken', { type: 'string' }),
        [`error secret ${place}/configuration/properties/apiToken`],
      ],
      [
        'may show a key',
        option('applicationKey', { type: 'string' }),
        [`warning secret ${place}/configuration/properties/applicationKey`],
      ],
      ['hide a password', option('password', { type: 'string', 'x-bkp-secret': true }), []],
      ['say that it is none', option('privateKey', { type: 'string', 'x-bkp-secret': false }), []],
      ['have a word like it', option('monkey', { type: 'string' }), []],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('schemas of what runs in threads', () => {
    const inThread = (port: string, property: object, name = 'a'): Changes => {
      const configuration = { type: 'object', properties: { [name]: property }, additionalProperties: false }
      return {
        bkp: { contributes: { [port]: [{ id: 'mine', module: './dist/index.js', configuration }] } },
      }
    }
    const at = (port: string, name: string) =>
      `package.json#/bkp/contributes/${port}/0/configuration/properties/${name}`
    const text = { type: 'string' }
    it.each<[string, Changes, string[]]>([
      ...['compression', 'encryption', 'source'].map((port): [string, Changes, string[]] => [
        `mark a secret that nobody keeps: ${port}`,
        inThread(port, { type: 'string', 'x-bkp-secret': true }),
        [`error secret ${at(port, 'a')}`],
      ]),
      [
        'mark a secret inside of an option',
        inThread('source', { type: 'object', properties: { b: { type: 'string', 'x-bkp-secret': true } } }),
        [`error secret ${at('source', 'a')}/properties/b`],
      ],
      ['take a password', inThread('source', text, 'password'), [`warning secret ${at('source', 'password')}`]],
      ['take a key', inThread('source', text, 'apiKey'), [`warning secret ${at('source', 'apiKey')}`]],
      ['name where the password is', inThread('source', text, 'passwordFile'), []],
      ['say that it is none', inThread('source', { type: 'string', 'x-bkp-secret': false }, 'token'), []],
      [
        'name a variable that nobody looks at',
        inThread('source', { type: 'string', 'x-bkp-env': 'A' }),
        [`warning schema ${at('source', 'a')}`],
      ],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('the range of plugin-api', () => {
    const dependency = 'package.json#/dependencies/@bkp~1plugin-api'
    const needs = (range: string, more = {}) => ({ json: { dependencies: { '@bkp/plugin-api': range }, ...more } })
    it.each<[string, Changes, string[]]>([
      ['is none', { bkp: { api: 'newest' } }, ['error api-range package.json#/bkp/api']],
      ['is an old one', { bkp: { api: '^0.9.0' } }, ['error api-range package.json#/bkp/api']],
      ['is one version', { bkp: { api: '1.1.0' } }, ['warning api-range package.json#/bkp/api']],
      ['is any', { bkp: { api: '>=1.0.0' } }, ['warning api-range package.json#/bkp/api']],
      ['is the least of the major version', { bkp: { api: '^1.0.0' } }, []],
      ['of the dependency is an old one', needs('^0.9.0'), [`error api-range ${dependency}`]],
      ['of the dependency is a file', needs('file:../x.tgz'), [`error api-range ${dependency}`]],
      [
        'of the dependency is a file that is bundled',
        needs('file:../x.tgz', { bundleDependencies: ['@bkp/plugin-api'] }),
        [`warning api-range ${dependency}`],
      ],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('names', () => {
    const names = (id: string, scheme: string) => ({ bkp: { contributes: { storage: [{ id, schemes: [scheme] }] } } })
    it.each<[string, Changes, string[]]>([
      ['of bkp itself', { json: { name: '@bkp/mine' } }, ['error names package.json#/name']],
      ['that npm refuses', { json: { name: 'My Plugin' } }, ['error names package.json#/name']],
      ['that are the id of a built-in', names('s3', 'mine'), [`error names ${place}/id`]],
      ['that are the scheme of a built-in', names('mine', 's3'), [`error names ${place}/schemes`]],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('the package', () => {
    it.each<[string, Changes, string[]]>([
      ['has no version', { json: { version: undefined } }, ['error metadata package.json#/version']],
      ['is private', { json: { private: true } }, ['warning metadata package.json#/private']],
      ['has no licence', { json: { license: undefined } }, ['warning metadata package.json#/license']],
      ['names no Node', { json: { engines: undefined } }, ['warning engines package.json#/engines']],
      ['cannot be searched for', { json: { keywords: [] } }, ['warning metadata package.json#/keywords']],
      ['has hooks for oclif', { json: { oclif: { hooks: { init: './x.js' } } } }, ['error oclif package.json#/oclif']],
      [
        'has an install script',
        { json: { scripts: { postinstall: 'x' } } },
        ['error scripts package.json#/scripts/postinstall'],
      ],
      [
        'compiles when it installs',
        { bkp: { native: true }, files: { 'binding.gyp': '' } },
        ['warning scripts binding.gyp'],
      ],
      ['hides native code', { files: { 'dist/x.node': '' } }, ['error native dist/x.node']],
      [
        'depends on native code without a word',
        { installed: { nativeFiles: ['node_modules/addon/addon.node'] } },
        ['warning native package.json#/bkp/native'],
      ],
      [
        'says that it depends on native code',
        { bkp: { native: true }, installed: { nativeFiles: ['node_modules/addon/addon.node'] } },
        [],
      ],
      [
        'depends on what has an install script',
        { installed: { scripts: [{ package: 'addon', scripts: ['install'] }] } },
        ['warning scripts package.json#/dependencies'],
      ],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('a cipher', () => {
    const cipher = (json = {}): Changes => ({
      json,
      bkp: { contributes: { encryption: [{ id: 'ann-aead', module: './dist/index.js' }] } },
    })
    it.each<[string, Changes, string[]]>([
      ['cannot be found by its id', cipher(), ['warning metadata package.json#/keywords']],
      ['is found by a keyword', cipher({ keywords: ['bkp-plugin', 'ann-aead'] }), []],
      ['is found by its description', cipher({ description: 'The cipher ann-aead for bkp' }), []],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('files', () => {
    const codec = { bkp: { contributes: { compression: [{ id: 'mine', module: './dist/codec.js' }] } } }
    it.each<[string, Changes, string[]]>([
      ['lack the entry', { files: { 'dist/index.js': undefined } }, ['error files ./dist/index.js']],
      ['lack a worker module', codec, ['error files package.json#/bkp/contributes/compression/0/module']],
      ['lack the types', { files: { 'dist/index.d.ts': undefined } }, ['warning files ./dist/index.d.ts']],
      [
        'lack README and LICENSE',
        { files: { 'README.md': undefined, LICENSE: undefined } },
        ['warning files README', 'warning files LICENSE'],
      ],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })

  describe('code', () => {
    const code = (text: string) => ({ files: { 'dist/index.js': text } })
    const branded = "const a = Symbol.for('bkp.PortError')\nexport default {}\n"
    it.each<[string, Changes, string[]]>([
      ['is taken for CommonJS', { json: { type: undefined } }, ['error module package.json#/type']],
      ['is CommonJS', code('module.exports = {}'), ['error module dist/index.js']],
      ['has no default export', code('export const a = 1'), ['error module dist/index.js']],
      [
        'imports plugin-api, which is no dependency',
        { json: { dependencies: {} } },
        ['error plugin-api package.json#/dependencies'],
      ],
      [
        'has plugin-api as a peer',
        { json: { dependencies: {}, peerDependencies: { '@bkp/plugin-api': '^1.1.0' } } },
        ['warning plugin-api package.json#/peerDependencies'],
      ],
      ['holds plugin-api, which is a dependency too', code(branded), ['warning plugin-api dist/index.js']],
      [
        'holds plugin-api twice',
        { files: { 'dist/index.js': branded, 'dist/b.js': branded } },
        ['warning plugin-api dist/index.js, dist/b.js'],
      ],
      ['names a host', code(`${entry}get('https://cdn.other.net/x')`), ['warning hosts dist/index.js']],
      ['names a declared host', code(`${entry}get('https://api.mine.test/x')`), []],
      ['names a host in a comment', code(`// https://cdn.other.net\n${entry}`), []],
      [
        'uses the network without a word',
        { ...code(`${entry}await fetch(url)`), bkp: { hosts: [] } },
        ['warning hosts dist/index.js'],
      ],
      ['may talk to any host', { ...code(`${entry}get('https://cdn.other.net/x')`), bkp: { hosts: ['*'] } }, []],
    ])('%s', async (_, changes, expected) => expect(await told(changes)).toEqual(expected))
  })
})

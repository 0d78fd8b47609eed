import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { installHint } from '../errors/missing-plugin.js'
import { type SnapshotPlugin, soundPlugins } from './snapshot-plugins.js'

const brotli: SnapshotPlugin = { port: 'compression', id: 'brotli', package: 'bkp-codec-brotli', version: '1.2.3' }

describe('plugins that a snapshot names', () => {
  it('are read as they were written, without what nobody knows', () => {
    const scoped: SnapshotPlugin = { port: 'encryption', id: 'x.1', package: '@ann/cipher', version: '2.0.0-rc.1' }
    expect(soundPlugins([brotli, { ...scoped, integrity: 'sha512-x' }])).toEqual([brotli, scoped])
  })

  it.each([undefined, null, 'x', {}, [null], [1], [[]], [{}]])('are none in %j', (value) => {
    expect(soundPlugins(value)).toEqual([])
  })

  it.each<[string, object]>([
    ['a port of later versions', { port: 'storage' }],
    ['no id', { id: undefined }],
    ['an id that no plugin can have', { id: '-brotli' }],
    ['an option for a name', { package: '--yes' }],
    ['a shell in its name', { package: 'x;rm -rf ~' }],
    ['a command in its name', { package: '$(id)' }],
    ['a line feed in its name', { package: 'x\nbkp-y' }],
    ['a path for a name', { package: '../x' }],
    ['an absolute path for a name', { package: '/tmp/x' }],
    ['a URL for a name', { package: 'https://evil.example/x.tgz' }],
    ['a repository for a name', { package: 'evil/x' }],
    ['another version in its name', { package: 'x@npm:evil' }],
    ['capital letters in its name', { package: 'Bkp' }],
    ['a letter that only looks like one', { package: 'bkp-с' }],
    ['a name that is too long', { package: 'x'.repeat(215) }],
    ['a range for a version', { version: '^1.0.0' }],
    ['a tag for a version', { version: 'latest' }],
    ['a URL for a version', { version: 'https://evil.example/x.tgz' }],
    ['blanks around the version', { version: ' 1.0.0' }],
    ['a version that is too long', { version: `1.0.0-${'x'.repeat(60)}` }],
    ['an object for a version', { version: { toString: () => '1.0.0' } }],
  ])('with %s are passed over, and the others are not', (_, change) => {
    expect(soundPlugins([{ ...brotli, ...change }, brotli])).toEqual([brotli])
  })

  it('never bring a hint anything but words, whatever the repository says', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab1@/._-~$; \n'), maxLength: 8 })
    const version = fc.oneof(fc.constant('1.0.0'), fc.string({ unit: fc.constantFrom(...'01.-a^ '), maxLength: 8 }))
    let sounds = 0
    fc.assert(
      fc.property(name, version, (name, version) => {
        for (const sound of soundPlugins([{ ...brotli, package: name, version }])) {
          sounds++
          const command = / bkp plugins:install (@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*@[0-9][0-9A-Za-z.-]*$/
          expect(installHint('compression', sound.id, sound)).toMatch(command)
        }
      }),
      { numRuns: 2000 },
    )
    expect(sounds).toBeGreaterThan(0)
  })
})

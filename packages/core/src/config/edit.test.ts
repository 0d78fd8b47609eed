import { describe, expect, it } from 'vitest'
import {
  addDestination,
  moveDestination,
  newConfigText,
  redactedConfig,
  removeDestination,
  secretPlaces,
  withSecrets,
} from './edit.js'
import type { StorageDescription } from './model.js'
import { parseConfig } from './parse.js'

const cloud: StorageDescription = {
  id: 'cloud',
  displayName: 'Cloud',
  schemes: ['cloud'],
  schema: { type: 'object', properties: { region: { type: 'string' }, key: { type: 'string', 'x-bkp-secret': true } } },
}

const text = `# my backups
version: 1
repositories:
  home:
    password: topsecret # do not tell: topsecret
    destinations:
      # the disk on the desk
      disk: /mnt/disk
      cloud:
        url: cloud://bucket # of 2026
        options: { region: eu, key: "env:KEY" }
      far:
        url: gopher://x
        options: { token: topsecret }
`

describe('a change of the configuration', () => {
  it('adds a destination and keeps comments and order', async () => {
    const changed = addDestination(text, 'home', 'nas', { url: 'cloud://nas', options: { region: 'us' } })
    expect(changed.replace(/ {6}nas:[\s\S]*/, '')).toBe(
      text.replace(/\{ region: eu, key: "env:KEY" \}/, '{ region: eu, key: "env:KEY" }'),
    )
    const { config } = await parseConfig(changed, [])
    expect(config.repositories.home?.destinations.nas).toEqual({ url: 'cloud://nas', options: { region: 'us' } })
  })

  it('adds the first destination to a new file', async () => {
    const changed = addDestination(newConfigText('x.json'), 'home', 'disk', { url: '/mnt/disk' })
    expect(changed).toBe(`# yaml-language-server: $schema=x.json
version: 1
repositories:
  home:
    destinations:
      disk:
        url: /mnt/disk
jobs: {}
`)
  })

  it('refuses to replace a destination, or to remove one that is not there', () => {
    expect(() => addDestination(text, 'home', 'disk', { url: '/x' })).toThrow('has a destination disk already')
    expect(() => removeDestination(text, 'home', 'nas')).toThrow('has no destination nas')
    expect(() => moveDestination(text, 'home', 'nas', { url: '/x' })).toThrow('has no destination nas')
  })

  it('removes a destination, and with the last one the repository', () => {
    const changed = removeDestination(text, 'home', 'cloud')
    expect(changed).not.toContain('cloud')
    expect(changed).toContain('# the disk on the desk')
    expect(removeDestination('version: 1\nrepositories: { a: { destinations: { b: /b } } }\n', 'a', 'b')).not.toContain(
      'a:',
    )
  })

  it('sends a destination elsewhere', async () => {
    for (const name of ['disk', 'cloud']) {
      const changed = moveDestination(text, 'home', name, { url: 'cloud://new', options: { region: 'x' } })
      const { config } = await parseConfig(changed, [])
      expect(config.repositories.home?.destinations[name]).toEqual({ url: 'cloud://new', options: { region: 'x' } })
    }
  })
})

describe('secrets of a configuration', () => {
  it('are hidden with all comments; references stay, and of an unknown storage every option is one', () => {
    const shown = redactedConfig(text, [cloud])
    expect(shown).not.toMatch(/topsecret|#/)
    expect(shown).toContain('env:KEY')
    expect(shown).toContain('region: eu')
    expect(shown).toContain('token: "[secret]"')
  })

  it('can be replaced and taken out', () => {
    const places = secretPlaces(text, [cloud])
    expect(places.map(({ path }) => path.at(-1))).toEqual(['password', 'key', 'token'])
    const taken = withSecrets(text, places, ({ path }) =>
      path.at(-1) === 'key' ? { text: 'found', comment: 'was env:KEY' } : undefined,
    )
    expect(taken).toMatch(/key: found #\s*was env:KEY/)
    expect(taken).not.toContain('password')
  })
})

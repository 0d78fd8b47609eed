import { Secret } from '@bkp/plugin-api'
import { expectPortError } from '@bkp/testkit'
import { describe, expect, it } from 'vitest'
import { settingsOf } from './settings.js'

const secret = new Secret('s')

describe('a URL', () => {
  it.each([
    ['webdav://host:8080/a/b', 'http://host:8080/a/b/'],
    ['webdavs://host', 'https://host/'],
    ['webdavs://host/a b/ü/', 'https://host/a%20b/%C3%BC/'],
    ['webdavs://[::1]:8443/x', 'https://[::1]:8443/x/'],
  ])('%s is the collection %s', (url, root) => {
    expect(settingsOf({ url, configuration: {} }).root).toBe(root)
  })

  it('may name the user', () => {
    const { root, username } = settingsOf({ url: 'webdavs://ann%40b@host/r', configuration: { password: secret } })
    expect([root, username]).toEqual(['https://host/r/', 'ann@b'])
  })

  it('may hold no password, and that is not repeated', () => {
    expectPortError('config', () => settingsOf({ url: 'webdavs://ann:hunter2@host/r', configuration: {} }))
    expect(() => settingsOf({ url: 'webdavs://ann:hunter2@host/r', configuration: {} })).toThrow(/^((?!hunter2).)*$/)
  })
})

describe('a login', () => {
  const url = 'webdavs://host/r'
  it.each([
    [{ password: secret }],
    [{ username: 'ann' }],
    [{ authentication: 'basic' }],
    [{ authentication: 'digest', username: 'ann' }],
    [{ authentication: 'bearer', username: 'ann', password: secret }],
    [{ token: new Secret('two\nlines') }],
  ])('of %o is incomplete', (configuration) => {
    expectPortError('config', () => settingsOf({ url, configuration }))
  })

  it.each([
    [{}],
    [{ username: 'ann', password: secret }],
    [{ token: secret }],
    [{ token: secret, authentication: 'bearer' }],
  ])('of %o is complete', (configuration) => {
    expect(settingsOf({ url, configuration }).concurrency).toBe(4)
  })
})

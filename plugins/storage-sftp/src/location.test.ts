import { isPortError } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { parseLocation } from './location.js'

describe('the URL of an SFTP server', () => {
  it.each([
    [
      'sftp://me@nas:2222/backup/bkp',
      { host: 'nas', port: 2222, user: 'me', folder: { from: 'root', path: '/backup/bkp' } },
    ],
    ['sftp://nas/backup/', { host: 'nas', folder: { from: 'root', path: '/backup' } }],
    ['sftp://nas//backup//bkp', { host: 'nas', folder: { from: 'root', path: '/backup/bkp' } }],
    ['sftp://nas/', { host: 'nas', folder: { from: 'root', path: '/' } }],
    ['sftp://nas/~/bkp/', { host: 'nas', folder: { from: 'login', path: 'bkp' } }],
    ['sftp://nas/~', { host: 'nas', folder: { from: 'login', path: '' } }],
    ['sftp://nas/~/', { host: 'nas', folder: { from: 'login', path: '' } }],
    ['sftp://nas/%7E/bkp', { host: 'nas', folder: { from: 'root', path: '/~/bkp' } }],
    ['sftp://nas/~other/bkp', { host: 'nas', folder: { from: 'root', path: '/~other/bkp' } }],
    ['sftp://nas/my%20d%C3%B6cs', { host: 'nas', folder: { from: 'root', path: '/my döcs' } }],
    ['sftp://nas/my döcs', { host: 'nas', folder: { from: 'root', path: '/my döcs' } }],
    ['sftp://do%40main@my_alias/b', { host: 'my_alias', user: 'do@main', folder: { from: 'root', path: '/b' } }],
    ['sftp://[fd00::1]:22/b', { host: 'fd00::1', port: 22, folder: { from: 'root', path: '/b' } }],
  ])('%s', (url, expected) => {
    expect(parseLocation(url)).toEqual(expected)
  })

  it.each([
    'sftp://nas',
    'sftp:///path',
    'sftp://',
    'http://nas/x',
    'sftp://nas:99999/x',
    'sftp://nas/%zz',
    'sftp://nas/a%00b',
  ])('is refused when it is none: %s', (url) => {
    expect(rejectionOf(url)).toMatchObject({ code: 'config' })
  })

  it.each(['sftp://me:opensesame@nas/x', 'sftp://me:opensesame@nas:99999/x', 'sftp://me:opensesame@nas/%zz'])(
    'is refused with a password, which is not repeated',
    (url) => {
      const error = rejectionOf(url)
      expect(error).toMatchObject({ code: 'config' })
      expect(String(error) + String((error as { hint?: string }).hint)).not.toContain('opensesame')
    },
  )
})

function rejectionOf(url: string): unknown {
  try {
    return parseLocation(url)
  } catch (error) {
    expect(isPortError(error)).toBe(true)
    return error
  }
}

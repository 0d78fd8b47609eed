import { describe, expect, it } from 'vitest'
import { failureOf, withoutSecrets } from './failures.js'

describe('what rclone says', () => {
  // As rclone 1.60 says it, about folders, WebDAV, S3 and Google Drive.
  it.each([
    ['failed to find object: lstat /a/b/c: not a directory', 'not-found'],
    ['error in ListJSON: directory not found', 'not-found'],
    ['read metadata failed: 400 Bad Request', 'not-found'],
    ['Copy call failed: 412 Precondition Failed', 'already-exists'],
    ["didn't find section in config file", 'config'],
    ['write /mnt/full/x: no space left on device', 'quota'],
    ['InvalidAccessKeyId: \n\tstatus code: 403, request id: tx0', 'auth'],
    ['AccessDenied: \n\tstatus code: 403, request id: tx0', 'forbidden'],
    ['Unauthorized: 401 Unauthorized', 'auth'],
    ['googleapi: Error 403: Rate Limit Exceeded, rateLimitExceeded', 'throttled'],
    ['dial tcp 127.0.0.1:1: connect: connection refused', 'offline'],
    ['unexpected EOF', 'transient'],
  ])('%s: %s', (text, code) => {
    expect(failureOf('Cannot store a', text)).toMatchObject({
      code,
      message: expect.stringContaining('Cannot store a'),
    })
  })

  it('is shown without the secrets of URLs', () => {
    expect(withoutSecrets('Put "https://ann:hunter2@h.example/a?sig=hunter2&b=c": EOF')).toBe(
      'Put "https://***@h.example/a?***": EOF',
    )
  })
})

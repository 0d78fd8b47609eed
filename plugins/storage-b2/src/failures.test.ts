import { inspect } from 'node:util'
import { PortError } from '@bkp/plugin-api'
import { describe, expect, it } from 'vitest'
import { B2Failure, ConnectionFailure, toPortError, wrap } from './failures.js'

describe('a failure', () => {
  it.each([
    [403, 'cap_exceeded', 'quota'],
    [403, 'storage_cap_exceeded', 'quota'],
    [403, 'transaction_cap_exceeded', 'quota'],
    [403, 'download_cap_exceeded', 'quota'],
    [403, 'access_denied', 'forbidden'],
    [401, 'unauthorized', 'forbidden'],
    [401, 'expired_auth_token', 'auth'],
    [404, 'not_found', 'not-found'],
    [400, 'no_such_file', 'not-found'],
    [400, 'bad_request', 'config'],
    [416, 'range_not_satisfiable', 'range-invalid'],
    [429, 'too_many_requests', 'throttled'],
    [408, 'request_timeout', 'transient'],
    [599, '', 'transient'],
  ])('of status %i and code %s is %s', (status, code, expected) => {
    const failure = new B2Failure(status, code, 'said B2', 3000)
    expect(toPortError(failure, 'Cannot read a')).toMatchObject({ code: expected, retryAfterMs: 3000 })
    expect(toPortError(failure, 'Cannot read a').message).toMatch(/^Cannot read a: B2 says said B2 \(/)
  })

  it('of the connection keeps codes and messages of its causes, and nothing else', () => {
    const inner = Object.assign(new Error('connect ECONNREFUSED'), {
      code: 'ECONNREFUSED',
      headers: { authorization: 'the-token' },
    })
    const error = Object.assign(new AggregateError([inner], 'all failed'), { request: { authorization: 'the-token' } })
    const told = toPortError(new ConnectionFailure(error), 'Cannot read a')
    expect(told.code).toBe('offline')
    expect(inspect(told, { depth: 20 })).toContain('connect ECONNREFUSED')
    expect(inspect(told, { depth: 20, showHidden: true })).not.toContain('the-token')
  })

  it('that a signal caused is the reason of the signal', async () => {
    const stopping = new AbortController()
    const reason = new Error('enough')
    const failing = wrap('Cannot read a', stopping.signal, async () => {
      stopping.abort(reason)
      throw new ConnectionFailure(new Error('aborted'))
    })
    await expect(failing).rejects.toBe(reason)
    await expect(wrap('Cannot read a', stopping.signal, async () => 1)).rejects.toBe(reason)
  })

  it('that is a port error already stays what it is', () => {
    const error = new PortError('corrupt', 'damaged')
    expect(toPortError(error, 'Cannot read a')).toBe(error)
  })
})

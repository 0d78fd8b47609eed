import { describe, expect, it } from 'vitest'
import { portErrorOfConnection, portErrorOfStatus, retryAfterMs } from './network-error.js'

describe('portErrorOfStatus', () => {
  it.each([
    [401, 'auth'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [412, 'already-exists'],
    [416, 'range-invalid'],
    [418, 'config'],
    [429, 'throttled'],
    [503, 'throttled'],
    [507, 'quota'],
    [599, 'transient'],
  ])('takes %i for %s', (status, code) => {
    expect(portErrorOfStatus(status, 'no', { retryAfterMs: 7 })).toMatchObject({ code, message: 'no', retryAfterMs: 7 })
  })
})

describe('portErrorOfConnection', () => {
  const coded = (code: string, rest: object = {}) => Object.assign(new Error(`it says ${code}`), { code }, rest)

  it.each([
    [coded('ECONNREFUSED'), 'offline'],
    [new TypeError('fetch failed', { cause: coded('ENOTFOUND') }), 'offline'],
    [new AggregateError([coded('EHOSTUNREACH')], 'all failed'), 'offline'],
    [coded('DEPTH_ZERO_SELF_SIGNED_CERT'), 'config'],
    [new TypeError('fetch failed', { cause: coded('UNABLE_TO_VERIFY_LEAF_SIGNATURE') }), 'config'],
    [coded('ECONNRESET'), 'transient'],
    [new Error('socket hang up'), 'transient'],
    ['a string', 'transient'],
    [undefined, 'transient'],
  ])('takes %s for %s', (cause, code) => {
    const error = portErrorOfConnection(cause, 'Cannot reach nas.example')
    expect(error).toMatchObject({ code })
    expect(error.cause).toBe(cause)
    expect(error.message).toMatch(/^Cannot reach nas\.example: ./)
  })

  it('ends on a cause that is its own cause', () => {
    const error = new Error('round') as Error & { cause: unknown }
    error.cause = error
    expect(portErrorOfConnection(error, 'x').code).toBe('transient')
  })
})

describe('retryAfterMs', () => {
  const now = Date.parse('2026-11-24T10:00:00Z')

  it.each([
    ['3', 3000],
    ['0', 0],
    ['Tue, 24 Nov 2026 10:00:05 GMT', 5000],
    ['Tue, 24 Nov 2026 09:00:00 GMT', undefined],
    ['-4', undefined],
    ['soon', undefined],
    ['', undefined],
    [null, undefined],
    [undefined, undefined],
  ])('reads %s as %s', (header, wait) => expect(retryAfterMs(header, now)).toBe(wait))
})

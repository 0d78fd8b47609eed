import { describe, expect, it } from 'vitest'
import {
  encodeSession,
  endOfSession,
  openSessions,
  parseSession,
  type SessionRecord,
  sessionAfter,
  sessionKey,
} from './session.js'
import { jsonBytes } from './testing/vectors.js'

const session: SessionRecord = {
  hostname: 'nas',
  pid: 4711,
  started: '2026-11-23T18:46:00.000Z',
  heartbeat: '2026-11-23T18:51:00.000Z',
  operation: 'backup',
}

describe('sessions', () => {
  it('are read as they were written', () => {
    expect(parseSession(encodeSession(session))).toEqual(session)
  })

  it('of a later version are left to those who know it', () => {
    expect(parseSession(jsonBytes({ ...session, version: 2 }))).toBeUndefined()
  })

  it.each([
    ['no version', { version: undefined }],
    ['no heartbeat', { heartbeat: undefined }],
    ['a heartbeat that is no time', { heartbeat: 'NaN' }],
    ['a process id below zero, which would name a group of processes', { pid: -1 }],
    ['a process id that is a text', { pid: '1' }],
    ['a host name that steers the terminal', { hostname: '\u0007' }],
  ])('with %s are damaged', (_what, changes) => {
    const payload = jsonBytes({ version: 1, ...session, ...changes })
    expect(() => parseSession(payload)).toThrow(expect.objectContaining({ code: 'damaged' }))
  })
})

describe('open sessions', () => {
  const [first, second] = [sessionKey('00'.repeat(16)), sessionKey('11'.repeat(16))] as const

  it('are those without an end, told by their names alone', () => {
    expect(openSessions([first, second])).toEqual([first, second])
    expect(openSessions([endOfSession(first), first, second])).toEqual([second])
  })

  it('are the latest of those that went on under another name', () => {
    const after = sessionAfter(first)
    expect(openSessions([first, after])).toEqual([after])
    expect(openSessions([first, after, endOfSession(after)])).toEqual([])
  })

  it('have names that every program derives alike', () => {
    expect(endOfSession(first)).toBe('sessions/918f059750b151fcd34d95d30c679606')
    expect(sessionAfter(first)).toBe('sessions/da38826f1f52771e95fbb4ad38dc6a38')
  })
})

import { PortError } from '@bkp/plugin-api'
import { FaultyStorage, InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Session } from './session.js'

const heartbeatMs = 5 * 60_000
const forbidden = new PortError('forbidden', 'these credentials may not do that')
const offline = new PortError('offline', 'nobody answers')

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function failing(call: 'put' | 'remove', error: PortError) {
  const inner = new InMemoryStorage()
  return new FaultyStorage(inner, [{ kind: 'failure', call, moment: 'before', error, when: { kind: 'every' } }])
}

async function begin(storage: InMemoryStorage | FaultyStorage, others: readonly FaultyStorage[] = []) {
  const parts = { storage, storages: [storage, ...others], seal: (payload: Uint8Array) => payload, now: Date.now }
  const session = await Session.begin(parts, { hostname: 'nas', pid: 1, operation: 'backup' })
  const heartbeat = async () => JSON.parse(Buffer.from(await storage.get(session.key)).toString()).heartbeat as string
  return { session, heartbeat }
}

describe('a session', () => {
  it('tells that it lives, also when one of the destinations takes no heartbeat', async () => {
    const writeOnce = failing('put', forbidden)
    const { session, heartbeat } = await begin(new InMemoryStorage(), [writeOnce])
    const first = await heartbeat()
    await vi.advanceTimersByTimeAsync(heartbeatMs)
    expect(Date.parse(await heartbeat()) - Date.parse(first)).toBe(heartbeatMs)
    expect(writeOnce.callsOf('put')).toBe(1)
    await session.end()
  })

  it('that cannot begin anywhere fails', async () => {
    await expect(begin(failing('put', offline))).rejects.toMatchObject({ code: 'offline' })
  })

  it.each([forbidden, offline])('ends without failing where its object stays: %s', async (error) => {
    const storage = failing('remove', error)
    const { session, heartbeat } = await begin(storage)
    await session.end()
    expect(storage.callsOf('remove')).toBe(1)
    expect(await heartbeat()).toBeTypeOf('string')
  })
})

import { PortError, type PutOptions } from '@bkp/plugin-api'
import { InMemoryStorage } from '@bkp/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { endOfSession, openSessions, parseSession, sessionAfter } from '../format/session.js'
import { closeSession, Session } from './session.js'

/** Takes what is new, and denies all else. */
class WriteOnceStorage extends InMemoryStorage {
  readonly #objects: Map<string, Uint8Array>

  constructor(objects: Map<string, Uint8Array>) {
    super({ objects })
    this.#objects = objects
  }

  override async put(key: string, data: Uint8Array, options?: PutOptions): Promise<void> {
    if (this.#objects.has(key)) throw new PortError('forbidden', `${key} must not be replaced`)
    await super.put(key, data, options)
  }

  override async remove(key: string): Promise<void> {
    throw new PortError('forbidden', `${key} must not be removed`)
  }
}

const details = { hostname: 'nas', pid: 4711, operation: 'backup' }
const minuteMs = 60_000

let objects: Map<string, Uint8Array>
const keys = () => [...objects.keys()]
const open = () => openSessions(keys())
const heartbeatOf = (key: string) => {
  const payload = objects.get(key)
  if (payload === undefined) throw new Error(`There is no ${key}`)
  return Date.parse(parseSession(payload)?.heartbeat ?? '')
}

beforeEach(() => {
  objects = new Map()
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const begin = (storage: InMemoryStorage) =>
  Session.begin({ storage, seal: (payload) => payload, now: () => Date.now() }, details)

/** Lets time pass, and the heartbeats of that time be written. */
async function pass(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) {
    vi.advanceTimersByTime(minuteMs)
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
}

describe('a session', () => {
  it('is rewritten while its writer lives, and removed in the end', async () => {
    const session = await begin(new InMemoryStorage({ objects }))
    const [key = ''] = keys()
    await pass(61)
    expect(keys()).toEqual([key])
    expect(session.owns(key)).toBe(true)
    expect(Date.now() - heartbeatOf(key)).toBeLessThanOrEqual(5 * minuteMs)
    await session.end()
    expect(keys()).toEqual([])
  })

  it('that may not be rewritten goes on under other names, of which one is open', async () => {
    const session = await begin(new WriteOnceStorage(objects))
    const [first = ''] = keys()
    for (let hour = 0; hour < 2; hour++) {
      await pass(60)
      const [key = '', ...others] = open()
      expect(others).toEqual([])
      expect(session.owns(key)).toBe(true)
      expect(Date.now() - heartbeatOf(key)).toBeLessThanOrEqual(10 * minuteMs)
    }
    expect(keys()).toContain(sessionAfter(first))
    expect(keys().length).toBeLessThanOrEqual(13)
    await session.end()
    expect(open()).toEqual([])
  })

  it('that may not be removed says that it is over', async () => {
    const session = await begin(new WriteOnceStorage(objects))
    const [key = ''] = keys()
    await session.end()
    expect(keys()).toEqual([key, endOfSession(key)])
    expect(open()).toEqual([])
  })

  it('that died is closed once, by whomever', async () => {
    const storage = new WriteOnceStorage(objects)
    const session = await begin(storage)
    await session.abandon()
    const [key = ''] = open()
    await closeSession(storage, key)
    await closeSession(storage, key)
    expect(open()).toEqual([])
  })

  it('whose storage fails in the end makes no run fail', async () => {
    const storage = new InMemoryStorage({ objects })
    const session = await begin(storage)
    vi.spyOn(storage, 'remove').mockRejectedValue(new PortError('offline', 'nobody is there'))
    await session.end()
    expect(open()).toHaveLength(1)
  })
})

import { createHash } from 'node:crypto'
import { damaged } from '../errors/index.js'
import { isShortText, isTimestamp, parseJsonObject } from './json.js'

/** The payload of a session object: a writer's lease. */
export interface SessionRecord {
  readonly hostname: string
  readonly pid: number
  /** ISO 8601, UTC. */
  readonly started: string
  /** When the writer was last known to be alive; ISO 8601, UTC. */
  readonly heartbeat: string
  /** The command, e.g. `backup`. */
  readonly operation: string
}

export function encodeSession(session: SessionRecord): Uint8Array {
  const { hostname, pid, started, heartbeat, operation } = session
  return Buffer.from(JSON.stringify({ version: 1, hostname, pid, started, heartbeat, operation }))
}

/**
 * @returns undefined for a session of a version that this one does not know; it counts as alive
 * @throws BkpError `damaged`
 */
export function parseSession(payload: Uint8Array): SessionRecord | undefined {
  const { version, hostname, pid, started, heartbeat, operation } = parseJsonObject(payload, 'A session')
  if (typeof version !== 'number') throw damaged('A session is damaged: it has no version')
  if (version !== 1) return undefined
  if (
    !isShortText(hostname) ||
    typeof pid !== 'number' ||
    !Number.isSafeInteger(pid) ||
    pid < 0 ||
    !isTimestamp(started) ||
    !isTimestamp(heartbeat) ||
    !isShortText(operation)
  ) {
    throw damaged('A session is damaged: a member is missing or has the wrong form')
  }
  return { hostname, pid, started, heartbeat, operation }
}

export function sessionKey(id: string): string {
  return `sessions/${id}`
}

/** Where a writer that may not rewrite its session goes on with it. */
export function sessionAfter(key: string): string {
  return derivedKey('bkp-session-next', key)
}

/** The object that says of a session, where it cannot be removed, that it is over. Its content does not matter. */
export function endOfSession(key: string): string {
  return derivedKey('bkp-session-end', key)
}

/** Of the keys of all sessions those that have neither ended nor gone on under another key. Told by their names alone. */
export function openSessions(keys: readonly string[]): readonly string[] {
  const there = new Set(keys)
  const ends = new Set(keys.map(endOfSession))
  return keys.filter((key) => !ends.has(key) && !there.has(endOfSession(key)) && !there.has(sessionAfter(key)))
}

function derivedKey(label: string, key: string): string {
  const id = key.slice(sessionKey('').length)
  return sessionKey(createHash('sha256').update(`${label}\n${id}`).digest('hex').slice(0, 32))
}

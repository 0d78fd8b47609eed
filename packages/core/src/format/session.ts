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

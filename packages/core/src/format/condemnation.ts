import { BkpError, damaged } from '../errors/index.js'
import { fromHex } from './ids.js'
import { isTimestamp, parseJsonObject } from './json.js'

/** The payload of a condemnation: packs that are going to be deleted. */
export interface Condemnation {
  /** When prune decided; ISO 8601, UTC. */
  readonly time: string
  /** Names of packs, 64 hex digits each. */
  readonly packs: readonly string[]
}

export function encodeCondemnation({ time, packs }: Condemnation): Uint8Array {
  return Buffer.from(JSON.stringify({ version: 1, time, packs }))
}

/** @throws BkpError `damaged`, or `unsupported` for another version: a writer must not go on without knowing what it says */
export function parseCondemnation(payload: Uint8Array): Condemnation {
  const { version, time, packs } = parseJsonObject(payload, 'A condemnation')
  if (typeof version !== 'number') throw damaged('A condemnation is damaged: it has no version')
  if (version !== 1) {
    throw new BkpError('unsupported', `A condemnation has the version ${version}, which this version does not know`, {
      hint: 'Upgrade bkp; nothing is damaged',
    })
  }
  if (!isTimestamp(time) || !Array.isArray(packs) || !packs.every((name) => fromHex(name, 32) !== undefined)) {
    throw damaged('A condemnation is damaged: a member is missing or has the wrong form')
  }
  return { time, packs }
}

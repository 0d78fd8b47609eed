import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Call, Connection } from './connection.js'
import { lookInto } from './looking.js'

/** Where objects lie before they get their names. No key may hold this character, so none can lie here. */
export const temporaryCollection = '@tmp/'

/** What is older belongs to a run that is dead. */
const temporaryLifeMs = 24 * 60 * 60_000
const machine = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** A path that no one else has. */
export function temporaryPath(): string {
  return `${temporaryCollection}${machine}-${process.pid}-${randomBytes(8).toString('hex')}`
}

/** Removes temporary files of runs that were killed, judged by the server's clock. */
export async function removeStale(
  connection: Connection,
  { what, signal }: Pick<Call, 'what' | 'signal'>,
): Promise<void> {
  const contents = await lookInto(connection, { path: temporaryCollection, what, signal })
  const nowMs = contents?.nowMs
  if (contents === undefined || nowMs === undefined) return
  for (const { name, kind, modifiedMs } of contents.children) {
    if (modifiedMs === undefined || nowMs - modifiedMs < temporaryLifeMs) continue
    const path = `${temporaryCollection}${encodeURIComponent(name)}${kind === 'collection' ? '/' : ''}`
    // Whoever may not delete there leaves it to whoever may.
    await connection.run({ method: 'DELETE', path, what, signal }, 403, 404, 405, 423, 501)
  }
}

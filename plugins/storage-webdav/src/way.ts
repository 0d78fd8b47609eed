import type { Call, Connection } from './connection.js'
import type { Settings } from './settings.js'
import { temporaryPath } from './temporary-files.js'

/**
 * How objects get their names. `move` uploads under a temporary name, then renames; its two kinds tell where to either by
 * a URL, or, where a proxy changes scheme or host, by a path.
 */
export type Way = 'put' | 'move-to-url' | 'move-to-path'

export function moveHeaders(
  root: string,
  path: string,
  way: Way,
  overwrite: 'T' | 'F',
): Readonly<Record<string, string>> {
  const url = root + path
  return { Destination: way === 'move-to-path' ? new URL(url).pathname : url, Overwrite: overwrite }
}

/**
 * Finds out by moving what is not there, which changes nothing: a server that may move misses the file, one that may not
 * says so.
 */
export async function findWay(
  connection: Connection,
  wanted: Settings['publication'],
  context: Pick<Call, 'what' | 'signal'>,
): Promise<Way> {
  if (wanted === 'put') return 'put'
  for (const way of ['move-to-url', 'move-to-path'] as const) {
    const headers = moveHeaders(connection.root, temporaryPath(), way, 'F')
    const call: Call = { method: 'MOVE', path: temporaryPath(), headers, ...context }
    const ask = () => connection.run(call, 400, 403, 404, 405, 409, 412, 501, 502)
    let answer = await ask()
    // A gateway says the same when the server behind it is away for a moment.
    for (let again = 0; answer.status === 502 && again < 2; again++) answer = await ask()
    if ([404, 409, 412].includes(answer.status)) return way
    // Bad Request and Bad Gateway: the server knows itself by another name. The others refuse as such.
    if (answer.status !== 400 && answer.status !== 502) {
      if (wanted === 'move') throw connection.refusal(answer, call)
      return 'put'
    }
  }
  return wanted === 'move' ? 'move-to-url' : 'put'
}

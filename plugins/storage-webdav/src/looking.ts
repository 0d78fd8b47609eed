import { PortError } from '@bkp/plugin-api'
import type { Answer } from './answer.js'
import type { Call, Connection } from './connection.js'
import { leadsToCollection } from './errors.js'
import { parentOf } from './keys.js'
import { type Child, childrenOf, pathOf, propertiesWanted, type Resource, resourcesOf } from './multistatus.js'

type Question = Pick<Call, 'path' | 'what' | 'signal'>

/** What lies at a path; undefined if nothing. */
export async function look(connection: Connection, question: Question): Promise<Resource | undefined> {
  const call = propfind(question, '0')
  const answer = await connection.ask(call)
  if (await isMissing(connection, answer, question)) return undefined
  if (leadsToCollection(answer)) {
    await connection.text(answer, call)
    return { path: question.path, kind: 'collection', sizeBytes: undefined, modifiedMs: undefined }
  }
  const resources = await read(connection, answer, call)
  // Some answer 207 with a 404 inside.
  return resources[0]
}

/** The server's clock, in milliseconds since 1970. @throws PortError `unsupported` when it does not tell */
export async function clockOf(connection: Connection, question: Question): Promise<number> {
  // A server need not know what is asked: the time stands in every answer.
  const answer = await connection.run({ ...question, method: 'PROPFIND', headers: { Depth: '0' } }, 207)
  const nowMs = Date.parse(answer.headers.get('date') ?? '')
  if (Number.isFinite(nowMs)) return nowMs
  throw new PortError('unsupported', `${question.what}: the server does not tell the time`)
}

/** What lies in a collection. */
export interface Contents {
  readonly children: readonly Child[]
  /** The server's clock, in milliseconds since 1970; undefined where it does not tell. */
  readonly nowMs: number | undefined
}

/** What lies in a collection; undefined if there is none. @param question with a path that ends with a slash or is '' */
export async function lookInto(connection: Connection, question: Question): Promise<Contents | undefined> {
  const call = propfind(question, '1')
  const answer = await connection.ask(call)
  if (await isMissing(connection, answer, question)) return undefined
  const resources = await read(connection, answer, call)
  const nowMs = Date.parse(answer.headers.get('date') ?? '')
  return {
    children: childrenOf(pathOf(connection.root + question.path), resources),
    nowMs: Number.isFinite(nowMs) ? nowMs : undefined,
  }
}

function propfind(question: Question, depth: '0' | '1'): Call {
  return {
    ...question,
    method: 'PROPFIND',
    headers: { Depth: depth, 'Content-Type': 'application/xml; charset=utf-8' },
    body: propertiesWanted,
  }
}

async function isMissing(connection: Connection, { status }: Answer, question: Question): Promise<boolean> {
  // 409: nothing can be there, since a collection above is missing.
  if (status === 404 || status === 409 || status === 410) return true
  if (status !== 400 || question.path === '') return false
  // Apache calls it a bad request to ask for what would lie below a file.
  const above = question.path.endsWith('/') ? question.path : parentOf(question.path)
  return (await look(connection, { ...question, path: above.replace(/\/$/, '') }))?.kind !== 'collection'
}

async function read(connection: Connection, answer: Answer, call: Call): Promise<readonly Resource[]> {
  if (answer.status >= 300) {
    await connection.text(answer, call).catch(() => '')
    throw connection.refusal(answer, call)
  }
  const text = await connection.text(answer, call)
  if (answer.status !== 207) {
    throw new PortError('config', `${call.what}: ${connection.root} answers, but it is no WebDAV server`, {
      hint: 'Check the path of the URL (Nextcloud: /remote.php/dav/files/USER/FOLDER)',
    })
  }
  const resources = resourcesOf(text)
  if (resources === undefined)
    throw new PortError('transient', `${call.what}: the answer of ${connection.root} is cut off`)
  return resources
}

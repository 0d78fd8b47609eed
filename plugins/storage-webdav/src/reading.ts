import { copyInto, type GetOptions, PortError, rangeInvalid, rangeWithin } from '@bkp/plugin-api'
import { type Answer, lengthOf } from './answer.js'
import type { Call, Connection } from './connection.js'
import { leadsToCollection } from './errors.js'
import { pathOfKey } from './keys.js'
import { look } from './looking.js'

/** Reads an object, or a range of it, whatever the server makes of the range. */
export async function read(connection: Connection, key: string, options: GetOptions): Promise<Uint8Array> {
  const { offset = 0, length, signal } = options
  const what = `Cannot read ${key}`
  if (offset < 0 || (length ?? 0) < 0) throw rangeInvalid(key, offset, length)
  // HTTP has no words for a range of nothing.
  if (length === 0) {
    rangeWithin(key, await sizeOf(connection, key, { what, signal }), options)
    return options.into ?? new Uint8Array(0)
  }
  const isWhole = offset === 0 && length === undefined
  const range = `bytes=${offset}-${length === undefined ? '' : offset + length - 1}`
  const call: Call = { method: 'GET', path: pathOfKey(key), what, signal, headers: isWhole ? {} : { Range: range } }
  const answer = await connection.ask(call)
  if (answer.status === 416) return readNothing(connection, answer, key, options)
  if (answer.status !== 200 && answer.status !== 206) return refuse(connection, answer, call, key)
  const coding = answer.headers.get('content-encoding') ?? 'identity'
  if (coding !== 'identity') {
    answer.message.destroy()
    throw new PortError('unsupported', `${what}: the server sends it packed by ${coding}, though that was not wanted`, {
      hint: 'Switch compression off on the server for the folder of the repository',
    })
  }
  try {
    // A server may ignore a range, and send all.
    if (answer.status === 200) return await readFromWhole(connection, answer, call, key, options)
    return await readPart(connection, answer, call, key, options)
  } finally {
    // Frees the connection of what was not read to its end.
    if (!answer.message.readableEnded) answer.message.destroy()
  }
}

/** @throws PortError `not-found`, also for a collection */
export async function sizeOf(
  connection: Connection,
  key: string,
  context: Pick<Call, 'what' | 'signal'>,
): Promise<number> {
  const found = await look(connection, { path: pathOfKey(key), ...context })
  if (found?.kind !== 'object') throw objectMissing(connection, key)
  if (found.sizeBytes !== undefined) return found.sizeBytes
  const call: Call = { method: 'HEAD', path: pathOfKey(key), ...context }
  const size = lengthOf(await connection.run(call))
  if (size === undefined)
    throw new PortError('unsupported', `${context.what}: the server does not tell how large it is`)
  return size
}

export function objectMissing(connection: Connection, key: string): PortError {
  return new PortError('not-found', `There is no object ${key} at ${connection.root}`)
}

async function readFromWhole(
  connection: Connection,
  answer: Answer,
  call: Call,
  key: string,
  options: GetOptions,
): Promise<Uint8Array> {
  const size = lengthOf(answer) ?? (await sizeOf(connection, key, contextOf(call)))
  const { offset, length } = rangeWithin(key, size, options)
  return fill(connection, answer, call, options, { skip: offset, length, sent: size })
}

async function readPart(
  connection: Connection,
  answer: Answer,
  call: Call,
  key: string,
  options: GetOptions,
): Promise<Uint8Array> {
  const { offset = 0 } = options
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(answer.headers.get('content-range') ?? '') ?? []
  const sent = Number(last) - Number(first) + 1
  const size = total === '*' ? await sizeOf(connection, key, contextOf(call)) : Number(total)
  if (first === undefined || Number(first) !== offset || !(sent > 0)) {
    throw new PortError('unsupported', `${call.what}: the server sends other bytes than were asked for`)
  }
  const { length } = rangeWithin(key, size, options)
  if (sent < length) throw new PortError('transient', `${call.what}: the server sends less than was asked for`)
  return fill(connection, answer, call, options, { skip: 0, length, sent })
}

/** Of what is sent, takes `length` bytes behind the first `skip`; none once the call is aborted: the memory is the caller's again. */
async function fill(
  connection: Connection,
  answer: Answer,
  call: Call,
  { into }: GetOptions,
  { skip, length, sent }: { readonly skip: number; readonly length: number; readonly sent: number },
): Promise<Uint8Array> {
  const target = into ?? Buffer.allocUnsafeSlow(length)
  let at = 0
  await connection.read(answer, call, (piece) => {
    if (call.signal?.aborted) return 'enough'
    const from = Math.min(Math.max(skip - at, 0), piece.length)
    const to = Math.min(Math.max(skip + length - at, 0), piece.length)
    if (to > from) copyInto(target, piece.subarray(from, to), at + from - skip)
    at += piece.length
    // What follows is nobody's business; where it is little, reading it keeps the connection.
    return at >= skip + length && sent - at > 262_144 ? 'enough' : 'more'
  })
  if (at < skip + length)
    throw new PortError('transient', `${call.what}: ${at} bytes came, ${skip + length} were expected`)
  return target
}

/** What follows the last byte may be asked for, and is nothing. */
async function readNothing(
  connection: Connection,
  answer: Answer,
  key: string,
  { offset = 0, length, signal, into }: GetOptions,
): Promise<Uint8Array> {
  const [, told] = /^bytes \*\/(\d+)$/.exec(answer.headers.get('content-range') ?? '') ?? []
  const size = told === undefined ? await sizeOf(connection, key, { what: `Cannot read ${key}`, signal }) : Number(told)
  if (length === undefined && offset === size) return into ?? new Uint8Array(0)
  throw rangeInvalid(key, offset, length)
}

function contextOf({ what, signal }: Call): Pick<Call, 'what' | 'signal'> {
  return { what, signal }
}

async function refuse(connection: Connection, answer: Answer, call: Call, key: string): Promise<never> {
  answer.message.destroy()
  if (answer.status === 404 || answer.status === 410 || leadsToCollection(answer)) throw objectMissing(connection, key)
  const refusal = connection.refusal(answer, call)
  // Servers have many words for a collection that is to be read like a file.
  if (![400, 403, 405, 409, 501].includes(answer.status)) throw refusal
  const found = await look(connection, { path: call.path, ...contextOf(call) })
  if (found?.kind !== 'object') throw objectMissing(connection, key)
  throw refusal
}

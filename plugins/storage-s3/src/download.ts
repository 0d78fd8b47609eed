import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { copyInto, type GetOptions, isPortError, PortError, rangeInvalid } from '@bkp/plugin-api'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call, type SendOptions } from './calls.js'
import { customerKeyFields } from './object-fields.js'

/** Reads a range of at least one byte, or all. Never short. @throws PortError `range-invalid`, also when the server gave less */
export async function download(bucket: Bucket, key: string, options: GetOptions): Promise<Uint8Array> {
  const { client, settings } = bucket
  const what = `Cannot read ${key} in ${placeOf(settings)}`
  const range = rangeHeader(options)
  const command = new GetObjectCommand({
    ...addressOf(settings, key),
    ...(range === undefined ? {} : { Range: range }),
    ...customerKeyFields(settings),
  })
  const read = async (send: SendOptions) => {
    const answer = await client.send(command, send)
    const body = answer.Body as Readable | undefined
    if (body === undefined) throw new PortError('transient', `${what}: the server sent no bytes`)
    try {
      const sizeBytes = expectedSize(answer, key, what, options)
      return await readInto(body, memoryFor(sizeBytes, options.into), what, options.signal)
    } finally {
      body.destroy()
    }
  }
  try {
    return await call(what, options.signal, read)
  } catch (error) {
    if (isPortError(error, 'range-invalid')) throw rangeInvalid(key, options.offset ?? 0, options.length)
    throw error
  }
}

function rangeHeader({ offset = 0, length }: GetOptions): string | undefined {
  if (length !== undefined) return `bytes=${offset}-${offset + length - 1}`
  return offset === 0 ? undefined : `bytes=${offset}-`
}

/** How many bytes the answer will have. A server cuts off what lies behind the end, or may ignore that a range was asked for. */
function expectedSize(answer: GetObjectCommandOutput, key: string, what: string, options: GetOptions): number {
  const { offset = 0, length } = options
  if (rangeHeader(options) === undefined) {
    if (answer.ContentLength === undefined)
      throw new PortError('unsupported', `${what}: the server does not say the size`)
    return answer.ContentLength
  }
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(answer.ContentRange ?? '') ?? []
  if (first === undefined || last === undefined || Number(first) !== offset) {
    throw new PortError('unsupported', `${what}: the server does not give the range that was asked for`)
  }
  const sizeBytes = Number(last) - offset + 1
  if (length !== undefined && sizeBytes < length) throw rangeInvalid(key, offset, length)
  return sizeBytes
}

function memoryFor(sizeBytes: number, into: Uint8Array | undefined): Uint8Array {
  return into?.length === sizeBytes ? into : Buffer.allocUnsafeSlow(sizeBytes)
}

/** Writes nothing any more once the signal is aborted: the memory belongs to the caller again. */
async function readInto(
  body: Readable,
  memory: Uint8Array,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  let at = 0
  const wrongSize = () =>
    new PortError('transient', `${what}: the connection gave ${at} bytes where ${memory.length} were announced`)
  body.on('data', (chunk: Uint8Array) => {
    if (signal?.aborted) return
    if (at + chunk.length > memory.length) body.destroy(wrongSize())
    else copyInto(memory, chunk, at)
    at += chunk.length
  })
  await once(body, 'end')
  if (at !== memory.length) throw wrongSize()
  return memory
}

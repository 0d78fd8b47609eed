import { GetObjectCommand } from '@aws-sdk/client-s3'
import { copyInto, type GetOptions, isPortError, PortError, rangeInvalid } from '@bkp/plugin-api'
import type { Headers, Sink } from './answer.js'
import { addressOf, type Bucket, placeOf } from './bucket.js'
import { call } from './calls.js'
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
  try {
    return await call(what, options.signal, async (send) => {
      const memory = new ObjectMemory(key, what, options)
      // The options of a call go through the SDK as they are; its types do not say so.
      const withSink: typeof send = { ...send, ...{ sink: memory } }
      await client.send(command, withSink)
      return memory.filled()
    })
  } catch (error) {
    if (isPortError(error, 'range-invalid')) throw rangeInvalid(key, options.offset ?? 0, options.length)
    throw error
  }
}

function rangeHeader({ offset = 0, length }: GetOptions): string | undefined {
  if (length !== undefined) return `bytes=${offset}-${offset + length - 1}`
  return offset === 0 ? undefined : `bytes=${offset}-`
}

/** Where the bytes of an answer go: the caller's memory, where it has their length. */
class ObjectMemory implements Sink {
  readonly #key: string
  readonly #what: string
  readonly #options: GetOptions
  #memory: Uint8Array | undefined
  #at = 0

  constructor(key: string, what: string, options: GetOptions) {
    this.#key = key
    this.#what = what
    this.#options = options
  }

  start(headers: Headers): void {
    const sizeBytes = expectedSize(headers, this.#key, this.#what, this.#options)
    const { into } = this.#options
    this.#memory = into?.length === sizeBytes ? into : Buffer.allocUnsafeSlow(sizeBytes)
  }

  take(chunk: Uint8Array): void {
    if (this.#memory === undefined || this.#at + chunk.length > this.#memory.length) throw this.#wrongSize(chunk.length)
    copyInto(this.#memory, chunk, this.#at)
    this.#at += chunk.length
  }

  filled(): Uint8Array {
    if (this.#memory === undefined || this.#at !== this.#memory.length) throw this.#wrongSize(0)
    return this.#memory
  }

  #wrongSize(more: number): PortError {
    const announced = this.#memory?.length ?? 0
    const came = this.#at + more
    return new PortError(
      'transient',
      `${this.#what}: the connection gave ${came} bytes where ${announced} were announced`,
    )
  }
}

/** How many bytes the answer will have. A server cuts off what lies behind the end, or may ignore that a range was asked for. */
function expectedSize(headers: Headers, key: string, what: string, options: GetOptions): number {
  const { offset = 0, length } = options
  if (rangeHeader(options) === undefined) {
    const told = headers['content-length']
    if (told === undefined) throw new PortError('unsupported', `${what}: the server does not say the size`)
    return Number(told)
  }
  const [, first, last] = /^bytes (\d+)-(\d+)\//.exec(headers['content-range'] ?? '') ?? []
  if (first === undefined || last === undefined || Number(first) !== offset) {
    throw new PortError('unsupported', `${what}: the server does not give the range that was asked for`)
  }
  const sizeBytes = Number(last) - offset + 1
  if (length !== undefined && sizeBytes < length) throw rangeInvalid(key, offset, length)
  return sizeBytes
}

import { copyInto, type GetOptions, PortError, rangeInvalid, rangeWithin } from '@bkp/plugin-api'
import { B2Failure, ConnectionFailure } from './failures.js'
import { connected, first, type HttpAnswer } from './http.js'
import type { Session } from './session.js'

/** Reads files of one bucket by name. Each call is of class B, which costs a tenth of class C. */
export class Downloads {
  readonly #session: Session
  readonly #bucket: string

  constructor(session: Session, bucket: string) {
    this.#session = session
    this.#bucket = bucket
  }

  /** @throws B2Failure, ConnectionFailure, PortError `range-invalid` */
  async get(key: string, name: string, options: GetOptions): Promise<Uint8Array> {
    const { offset = 0, length, signal, into } = options
    if (length === 0) return this.#nothing(key, name, options)
    const isAll = offset === 0 && length === undefined
    const end = length === undefined ? '' : `${offset + length - 1}`
    let answer: HttpAnswer
    try {
      const asked = { bucket: this.#bucket, name }
      answer = await this.#session.download(isAll ? asked : { ...asked, range: `bytes=${offset}-${end}` }, signal)
    } catch (error) {
      // A range that begins at the end is unsatisfiable to HTTP, and empty to us.
      if (error instanceof B2Failure && error.status === 416) return this.#nothing(key, name, options)
      throw error
    }
    const told = Number(first(answer.headers['content-length']))
    if (!Number.isSafeInteger(told) || told < 0 || (!isAll && answer.status !== 206)) {
      discard(answer)
      throw new ConnectionFailure(new Error('the answer does not say which bytes it holds'))
    }
    // HTTP cuts a range off at the end of the file.
    if (length !== undefined && told !== length) {
      discard(answer)
      throw rangeInvalid(key, offset, length)
    }
    return readBody(answer, into?.length === told ? into : new Uint8Array(told), signal)
  }

  /**
   * Bytes of a file, told by the answer to a download of its first one: class B, where a list would be C. HEAD would cost
   * the same, but its answers have no body that tells a missing capability from a cap, and end the connection.
   */
  async sizeOf(name: string, signal?: AbortSignal): Promise<number> {
    let answer: HttpAnswer
    try {
      answer = await this.#session.download({ bucket: this.#bucket, name, range: 'bytes=0-0' }, signal)
    } catch (error) {
      // The first byte lies behind the end only where there is none.
      if (error instanceof B2Failure && error.status === 416) return 0
      throw error
    }
    const whole = /\/(\d+)$/.exec(first(answer.headers['content-range']) ?? '')?.[1]
    if (whole === undefined) discard(answer)
    else await connected(() => answer.body.dump())
    const told = Number(answer.status === 206 ? whole : first(answer.headers['content-length']))
    if (Number.isSafeInteger(told)) return told
    throw new ConnectionFailure(new Error('the answer does not tell the size'))
  }

  /** An empty range, which HTTP cannot ask for; legal if it lies inside. */
  async #nothing(key: string, name: string, options: GetOptions): Promise<Uint8Array> {
    const { length } = rangeWithin(key, await this.sizeOf(name, options.signal), options)
    if (length !== 0) throw new PortError('transient', `${key} changed while it was read`)
    return options.into ?? new Uint8Array(0)
  }
}

/** Ends a connection whose answer is of no use: reading on could mean reading gigabytes. */
function discard({ body }: HttpAnswer): void {
  // The body says by an event that it was destroyed, which would be nobody's.
  body.on('error', () => {})
  body.destroy()
}

/** Writes nothing any more once the signal is aborted: the memory belongs to the caller again. */
async function readBody({ body }: HttpAnswer, into: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
  let at = 0
  await connected(async () => {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted()
      if (at + chunk.length > into.length) throw new Error('the answer is longer than it said')
      copyInto(into, chunk, at)
      at += chunk.length
    }
  })
  if (at !== into.length) throw new ConnectionFailure(new Error(`the answer ended after ${at} of ${into.length} bytes`))
  return into
}

import { type GetOptions, PortError, rangeInvalid, rangeWithin } from '@bkp/plugin-api'
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
      const asked = { method: 'GET', bucket: this.#bucket, name } as const
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
    return readBody(answer, into?.length === told ? into : new Uint8Array(told))
  }

  /** Bytes of a file. HEAD is of class B; a list, of class C, would cost ten times as much. */
  async sizeOf(name: string, signal?: AbortSignal): Promise<number> {
    const { headers, body } = await this.#head(name, signal)
    await connected(() => body.dump())
    const told = Number(first(headers['content-length']))
    if (Number.isSafeInteger(told)) return told
    throw new ConnectionFailure(new Error('the answer does not tell the size'))
  }

  async #head(name: string, signal?: AbortSignal): Promise<HttpAnswer> {
    const asked = { bucket: this.#bucket, name } as const
    try {
      return await this.#session.download({ ...asked, method: 'HEAD' }, signal)
    } catch (error) {
      // An answer to HEAD has no body that tells a missing capability from a cap: ask again in a way that has one.
      if (!(error instanceof B2Failure) || (error.status !== 401 && error.status !== 403)) throw error
      const { body } = await this.#session.download({ ...asked, method: 'GET', range: 'bytes=0-0' }, signal)
      await connected(() => body.dump())
      throw error
    }
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

async function readBody({ body }: HttpAnswer, into: Uint8Array): Promise<Uint8Array> {
  let at = 0
  await connected(async () => {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      if (at + chunk.length > into.length) throw new Error('the answer is longer than it said')
      into.set(chunk, at)
      at += chunk.length
    }
  })
  if (at !== into.length) throw new ConnectionFailure(new Error(`the answer ended after ${at} of ${into.length} bytes`))
  return into
}

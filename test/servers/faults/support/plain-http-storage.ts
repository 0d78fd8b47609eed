import { once } from 'node:events'
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import {
  type CallOptions,
  type GetOptions,
  isPortError,
  PortError,
  type PutOptions,
  portErrorOfConnection,
  portErrorOfStatus,
  retryAfterMs,
  type Storage,
  type StoredObject,
} from '@bkp/plugin-api'
import type { Address } from './fault-target.js'

interface Answer {
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** The storage of {@link PlainHttpServer}, as a plugin would have it: one attempt for each call. */
export class PlainHttpStorage implements Storage {
  readonly capabilities = {
    conditionalCreate: true,
    listing: 'strong',
    canRemove: true,
    maxObjectBytes: Number.MAX_SAFE_INTEGER,
    concurrency: 4,
    isLocal: false,
    objectLock: false,
  } as const
  readonly #address: Address
  readonly #agent = new Agent({ keepAlive: true })

  constructor(address: Address) {
    this.#address = address
  }

  async put(key: string, data: Uint8Array, options: PutOptions = {}): Promise<void> {
    const condition = options.ifAbsent ? { 'if-none-match': '*' } : {}
    await this.#ask('PUT', key, options, { 'content-length': data.length, ...condition }, data)
  }

  async get(key: string, options: GetOptions = {}): Promise<Uint8Array> {
    const { offset = 0, length = options.into?.length } = options
    if (length === 0) return new Uint8Array(0)
    const end = length === undefined ? '' : offset + length - 1
    const isRange = offset > 0 || length !== undefined
    const { body } = await this.#ask('GET', key, options, isRange ? { range: `bytes=${offset}-${end}` } : {})
    if (length !== undefined && body.length !== length) throw new PortError('range-invalid', `${key} is shorter`)
    options.into?.set(body)
    return options.into ?? body
  }

  async stat(key: string, options: CallOptions = {}): Promise<StoredObject> {
    const { headers } = await this.#ask('HEAD', key, options)
    return { key, sizeBytes: Number(headers['content-length']) }
  }

  async *list(prefix: string, options: CallOptions = {}): AsyncGenerator<StoredObject> {
    const { body } = await this.#ask('GET', `?list=${prefix}`, options)
    yield* JSON.parse(body.toString()) as StoredObject[]
  }

  async remove(key: string, options: CallOptions = {}): Promise<void> {
    await this.#ask('DELETE', key, options)
  }

  async close(): Promise<void> {
    this.#agent.destroy()
  }

  async #ask(
    method: string,
    path: string,
    { signal }: CallOptions,
    headers: OutgoingHttpHeaders = {},
    data: Uint8Array = new Uint8Array(0),
  ): Promise<Answer> {
    try {
      return await this.#exchange(method, path, headers, data, signal)
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      throw isPortError(error) ? error : portErrorOfConnection(error, `${method} ${path} failed`)
    }
  }

  async #exchange(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    data: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const own = { ...this.#address, agent: this.#agent, path: `/${path}`, method, headers }
    const sent = request({ ...own, ...(signal === undefined ? {} : { signal }) })
    const answered = once(sent, 'response') as Promise<[IncomingMessage]>
    // Later errors reach the reader of the answer.
    sent.on('error', () => undefined)
    sent.end(data)
    const [answer] = await answered
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const status = answer.statusCode ?? 0
    if (status >= 300) {
      const wait = retryAfterMs(answer.headers['retry-after'], Date.now())
      const options = wait === undefined ? {} : { retryAfterMs: wait }
      throw portErrorOfStatus(status, `${method} ${path} gave ${status}`, options)
    }
    return { headers: answer.headers, body: Buffer.concat(chunks) }
  }
}

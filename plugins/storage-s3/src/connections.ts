import { Readable } from 'node:stream'
import { buildQueryString, type HttpHandler, type HttpRequest, HttpResponse } from '@smithy/core/protocols'
import type { Dispatcher } from 'undici'
import Agent from 'undici/lib/dispatcher/agent.js'
import { answerOf, type Sink } from './answer.js'

/** What a call of the SDK hands on to its connections. */
export interface CallOptions {
  readonly abortSignal?: unknown
  /** Takes the bytes of an answer that says yes; the SDK then sees none. */
  readonly sink?: Sink
}

export interface ConnectionOptions {
  /** To one server. */
  readonly connections: number
  /** PEM, trusted instead of the usual authorities. */
  readonly ca?: readonly string[]
}

// Core limits the time of whole calls, by their signals; a slow line may take long for 64 MiB.
const noLimit = 0
const keepAliveMs = 15_000

/**
 * The SDK's HTTP, by undici. Its own, over `node:http`, copies what comes once more, and took 2.2 s of processor time for
 * answers of 1.2 GB where this takes 1.5.
 */
export class Connections implements HttpHandler {
  readonly metadata = { handlerProtocol: 'http/1.1' }
  readonly #agent: Dispatcher

  constructor({ connections, ca }: ConnectionOptions) {
    this.#agent = new Agent({
      connections,
      keepAliveTimeout: keepAliveMs,
      headersTimeout: noLimit,
      bodyTimeout: noLimit,
      ...(ca === undefined ? {} : { connect: { ca: [...ca] } }),
    })
  }

  /** Resolves when the whole answer is there. */
  async handle(asked: HttpRequest, { abortSignal, sink }: CallOptions = {}): Promise<{ response: HttpResponse }> {
    const { protocol, hostname, port, path, query, method, headers, body } = asked
    const found = buildQueryString(query)
    const request: Dispatcher.DispatchOptions = {
      origin: `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}`,
      path: found === '' ? path : `${path}?${found}`,
      method: method as Dispatcher.HttpMethod,
      headers,
      body,
    }
    const signal = abortSignal instanceof AbortSignal ? abortSignal : undefined
    const answer = await answerOf(this.#agent, request, { sink, signal })
    const response = { statusCode: answer.status, headers: answer.headers, body: Readable.from(answer.bytes) }
    return { response: new HttpResponse(response) }
  }

  updateHttpClientConfig(): void {}

  httpHandlerConfigs(): object {
    return {}
  }

  /** Ends what is under way, and whoever waits for it is told. */
  destroy(): void {
    void this.#agent.destroy()
  }
}

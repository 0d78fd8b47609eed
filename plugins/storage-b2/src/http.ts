import { rootCertificates } from 'node:tls'
import { retryAfterMs } from '@bkp/plugin-api'
import { Agent, type Dispatcher, request } from 'undici'
import { B2Failure, ConnectionFailure } from './failures.js'

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly url: string
  /** The value of the header `Authorization`: a token, or Basic with the key. */
  readonly authorization: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal | undefined
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Dispatcher.ResponseData['body']
}

const userAgent = 'bkp-storage-b2/0.1.0+node'
/** Connections to a pod are worth keeping while an upload URL waits for its next object. */
const keepAliveMs = 15_000

/** HTTP with connections that stay open; knows of B2 only what an error looks like. */
export class Http {
  readonly #agent: Agent
  readonly #extraHeaders: Readonly<Record<string, string>>
  #closing: Promise<void> | undefined

  /**
   * @param ca PEM, trusted beside the usual authorities
   * @param testMode a value of `X-Bz-Test-Mode`, by which B2 makes calls fail on purpose
   */
  constructor({ ca, testMode }: { readonly ca: string | undefined; readonly testMode: string | undefined }) {
    this.#agent = new Agent({
      keepAliveTimeout: keepAliveMs,
      // Core limits the time of whole calls, by their signals; a slow line may take long for 64 MiB.
      headersTimeout: 0,
      bodyTimeout: 0,
      ...(ca === undefined ? {} : { connect: { ca: [...rootCertificates, ca] } }),
    })
    this.#extraHeaders = {
      'user-agent': userAgent,
      ...(testMode === undefined ? {} : { 'x-bz-test-mode': testMode }),
    }
  }

  /**
   * Gives an answer of 200 to 299, whose body must then be read or dumped.
   * @throws B2Failure for any other status, ConnectionFailure when no answer came
   */
  async send({ method, url, authorization, headers, body, signal }: HttpRequest): Promise<HttpAnswer> {
    const answer = await connected(() =>
      request(url, {
        dispatcher: this.#agent,
        method,
        headers: { ...this.#extraHeaders, ...headers, authorization },
        body: body ?? null,
        ...(signal === undefined ? {} : { signal }),
      }),
    )
    if (answer.statusCode < 200 || answer.statusCode > 299) throw await failureOf(answer, authorization)
    return { status: answer.statusCode, headers: answer.headers, body: answer.body }
  }

  /** @throws as `send` */
  async sendForJson(asked: HttpRequest): Promise<unknown> {
    const { body } = await this.send(asked)
    const text = await connected(() => body.text())
    try {
      return JSON.parse(text)
    } catch {
      throw new ConnectionFailure(new Error(`${new URL(asked.url).host} answers with something that is not JSON`))
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#agent.destroy()
    return this.#closing
  }
}

/** Errors of the client, told without what it sent. */
export async function connected<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw new ConnectionFailure(error)
  }
}

async function failureOf(answer: Dispatcher.ResponseData, authorization: string): Promise<B2Failure> {
  const text = await connected(() => answer.body.text())
  const told = parseFailure(text)
  const wait = retryAfterMs(first(answer.headers['retry-after']), Date.now())
  // A message may quote the token, as that of auth_token_limit does.
  const message = told.message.replaceAll(authorization, '[token]').slice(0, 500)
  return new B2Failure(answer.statusCode, told.code, message, wait)
}

/** What is no JSON comes from somebody in between, and its text helps nobody. */
function parseFailure(text: string): { code: string; message: string } {
  try {
    const { code, message } = JSON.parse(text) as { code?: unknown; message?: unknown }
    return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : '' }
  } catch {
    return { code: '', message: '' }
  }
}

/** The first value of a header. */
export function first(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

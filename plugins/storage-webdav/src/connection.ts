import { setMaxListeners } from 'node:events'
import { readFile } from 'node:fs/promises'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { isPortError, PortError } from '@bkp/plugin-api'
import type { WebDAVClient } from 'webdav'
import { type Answer, drain, readAnswer, textOf } from './answer.js'
import { authorization, clientFor, loginOf, type Scheme, schemeOf, schemeOfChallenge } from './authentication.js'
import { errorOfAnswer, errorOfConnection } from './errors.js'
import type { Settings } from './settings.js'
import './transport.js'

export interface Call {
  readonly method: string
  /** As it stands in a URL: below the root ('' is the root itself), or with a slash before it on the server. Collections end with a slash. */
  readonly path: string
  /** What fails if this fails, e.g. `Cannot store index/ab`. */
  readonly what: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array
  readonly signal?: AbortSignal | undefined
}

/** Requests to one server, below one root. Every rejection is a `PortError` or the signal's reason. */
export class Connection {
  readonly root: string
  readonly #settings: Settings
  readonly #agents: { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent }
  /** Clients that carry no request now. */
  readonly #idle: WebDAVClient[] = []
  #scheme: Scheme | undefined

  private constructor(settings: Settings, ca: Buffer | undefined) {
    this.root = settings.root
    this.#settings = settings
    this.#scheme = schemeOf(settings)
    const options = { keepAlive: true, noDelay: true }
    this.#agents = {
      httpAgent: new HttpAgent(options),
      httpsAgent: new HttpsAgent(ca === undefined ? options : { ...options, ca }),
    }
  }

  /** Sends nothing yet. @throws PortError `config` when the file of the option `ca` cannot be read */
  static async prepare(settings: Settings): Promise<Connection> {
    const { ca } = settings
    if (ca === undefined) return new Connection(settings, undefined)
    const pem = await readFile(ca).catch((error: Error) => {
      throw new PortError('config', `Cannot read the certificates of the option ca: ${error.message}`)
    })
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) {
      throw new PortError('config', `There is no certificate in ${ca}`, { hint: 'The option ca wants a PEM file' })
    }
    return new Connection(settings, pem)
  }

  /** An answer of any status. Its body waits to be read, unless it is a refusal. */
  async ask(call: Call): Promise<Answer> {
    if (this.#scheme === undefined) {
      const question = { what: call.what, signal: call.signal, method: 'PROPFIND', path: '', headers: { Depth: '0' } }
      const answer = await this.#send(question, 'none')
      await this.#reading(call, drain(answer, call.signal))
      this.#scheme = schemeOfChallenge(answer)
    }
    return this.#send(call, this.#scheme)
  }

  /** For requests whose body says nothing: reads it, and gives the answer if its status is one of these or below 300. */
  async run(call: Call, ...expected: readonly number[]): Promise<Answer> {
    const answer = await this.ask(call)
    await this.#reading(call, drain(answer, call.signal))
    // 207 tells of parts that failed; there are none in what we ask so.
    if ((answer.ok && answer.status !== 207) || expected.includes(answer.status)) return answer
    throw this.refusal(answer, call)
  }

  /** The text of an answer. */
  text(answer: Answer, call: Call): Promise<string> {
    return this.#reading(call, textOf(answer, call.signal))
  }

  /** As `readAnswer`, with the errors of a port. */
  read(answer: Answer, call: Call, take: (piece: Uint8Array) => 'more' | 'enough'): Promise<void> {
    return this.#reading(call, readAnswer(answer, call.signal, take))
  }

  refusal(answer: Answer, call: Call): PortError {
    return errorOfAnswer(answer, this.#what(call), loginOf(this.#scheme ?? 'none', this.#settings))
  }

  close(): void {
    this.#idle.length = 0
    this.#agents.httpAgent.destroy()
    this.#agents.httpsAgent.destroy()
  }

  async #send(call: Call, scheme: Scheme): Promise<Answer> {
    call.signal?.throwIfAborted()
    // Any number of calls may share a signal; node would warn of a leak on the user's screen.
    if (call.signal !== undefined) setMaxListeners(0, call.signal)
    const client = this.#idle.pop() ?? clientFor(scheme, this.#settings, this.#agents)
    const { method, path, body, signal } = call
    const answer = await this.#reading(
      call,
      client
        .customRequest(path, {
          method,
          url: path.startsWith('/') ? new URL(path, this.root).href : this.root + path,
          headers: {
            'Accept-Encoding': 'identity',
            ...(body === undefined ? {} : { 'Content-Length': `${body.length}` }),
            ...authorization(scheme, this.#settings),
            ...call.headers,
          },
          ...(body === undefined ? {} : { data: body }),
          ...(signal === undefined ? {} : { signal }),
        })
        .catch(answerInside),
    )
    // The one that asked how to log in is not one that logs in.
    if (scheme === this.#scheme) this.#idle.push(client)
    // Ours, since our transport made it.
    return answer as unknown as Answer
  }

  async #reading<T>(call: Pick<Call, 'what' | 'signal'>, action: Promise<T>): Promise<T> {
    try {
      return await action
    } catch (error) {
      if (call.signal?.aborted) throw call.signal.reason
      throw isPortError(error) ? error : errorOfConnection(error, this.#what(call))
    }
  }

  #what({ what }: Pick<Call, 'what'>): string {
    return `${what} at ${this.root}`
  }
}

/** The library throws refusals, with the answer inside. */
function answerInside(error: unknown): Answer {
  const { response } = error as { response?: Answer }
  if (response === undefined) throw error
  return response
}

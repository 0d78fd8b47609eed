import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { type Occasion, occasions } from '../support/occasions.js'

/** What a fault is told of a request. */
export interface ProxiedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
}

/** What a proxy does to requests and answers. Requests are counted from the moment at which the fault is added. */
export type HttpFault = {
  /** Default: every request. */
  readonly matches?: (request: ProxiedRequest) => boolean
  /** Which of the matching requests; default: every one. */
  readonly when?: Occasion
} & (
  | {
      readonly kind: 'status'
      readonly status: number
      /** As the header is to read: seconds or a date. */
      readonly retryAfter?: string
      /** `before` (default): the server sees nothing of the request. `after`: it does all, and its answer is lost. */
      readonly moment?: 'before' | 'after'
      readonly body?: string
    }
  /** Ends the connection after so many bytes of the answer's body. */
  | { readonly kind: 'cut-body'; readonly afterBytes: number }
  /** Answers carry a `Date` that is wrong by so much. */
  | { readonly kind: 'date'; readonly offsetMs: number }
  /** Gives the answer that the same request got so many times before; the first one until there are enough. For lists. */
  | { readonly kind: 'late'; readonly lag: number }
)

/** How often each fault really happened. */
export interface HttpProxyCounts {
  readonly requests: number
  readonly statuses: number
  readonly cutBodies: number
  readonly dates: number
  /** Answers that were not the newest. */
  readonly lateAnswers: number
}

interface Answer {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: AsyncIterable<Buffer> | Iterable<Buffer>
}

interface ActiveHttpFault {
  readonly fault: HttpFault
  readonly isHit: (number: number) => boolean
  readonly earlier: Map<string, Answer[]>
  requests: number
}

/** Where a proxy stands. */
export interface HttpFaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
}

/** Begins to listen on a port of loopback that is free. */
export async function startHttpFaultProxy({ target }: HttpFaultProxyOptions): Promise<HttpFaultProxy> {
  const proxy = new HttpFaultProxy(target)
  await proxy.listen()
  return proxy
}

/** Stands between a client and a server that speak plain HTTP. Make it by {@link startHttpFaultProxy}. */
export class HttpFaultProxy {
  readonly host = '127.0.0.1'
  readonly #target: HttpFaultProxyOptions['target']
  readonly #server = createServer((incoming, outgoing) => {
    this.#handle(incoming, outgoing).catch(() => outgoing.destroy())
  })
  readonly #faults = new Set<ActiveHttpFault>()
  readonly #counts = { requests: 0, statuses: 0, cutBodies: 0, dates: 0, lateAnswers: 0 }

  constructor(target: HttpFaultProxyOptions['target']) {
    this.#target = target
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** A copy, which does not change any more. */
  get counts(): HttpProxyCounts {
    return { ...this.#counts }
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.host)
    await once(this.#server, 'listening')
  }

  /** Adds a fault to those that are at work. @returns what ends this one */
  add(fault: HttpFault): () => void {
    const isHit = occasions(fault.when ?? { kind: 'every' })
    const active: ActiveHttpFault = { fault, isHit, earlier: new Map(), requests: 0 }
    this.#faults.add(active)
    return () => this.#faults.delete(active)
  }

  heal(): void {
    this.#faults.clear()
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.#counts.requests++
    const asked = { method: incoming.method ?? 'GET', url: incoming.url ?? '/' }
    const hits = this.#hitsOf(asked)
    const answer = await this.#answer(asked, incoming, hits)
    const headers = { ...answer.headers }
    for (const { fault } of hits) {
      if (fault.kind !== 'date') continue
      this.#counts.dates++
      headers.date = new Date(Date.now() + fault.offsetMs).toUTCString()
    }
    outgoing.writeHead(answer.status, headers)
    outgoing.flushHeaders()
    const cut = hits.map(({ fault }) => fault).find((fault) => fault.kind === 'cut-body')
    if (cut === undefined) await pipeline(answer.body, outgoing)
    else await this.#cut(answer.body, outgoing, cut.afterBytes)
  }

  #hitsOf(asked: ProxiedRequest): readonly ActiveHttpFault[] {
    const matching = [...this.#faults].filter(({ fault }) => fault.matches?.(asked) ?? true)
    return matching.filter((active) => active.isHit(++active.requests))
  }

  async #answer(asked: ProxiedRequest, incoming: IncomingMessage, hits: readonly ActiveHttpFault[]): Promise<Answer> {
    for (const { fault } of hits) {
      if (fault.kind !== 'status') continue
      this.#counts.statuses++
      if (fault.moment === 'after') await collect((await this.#passOn(asked, incoming)).body)
      else await collect(incoming)
      const retryAfter = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }
      return { status: fault.status, headers: retryAfter, body: [Buffer.from(fault.body ?? '')] }
    }
    const answer = await this.#passOn(asked, incoming)
    for (const active of hits)
      if (active.fault.kind === 'late') return this.#late(active, active.fault.lag, asked, incoming, answer)
    return answer
  }

  async #passOn({ method, url }: ProxiedRequest, incoming: IncomingMessage): Promise<Answer> {
    const { connection, expect, 'keep-alive': _, ...headers } = incoming.headers
    const upstream = request({ ...this.#target, agent: false, method, path: url, headers })
    // Also after the answer has begun; its reader is told by the answer itself.
    upstream.on('error', () => undefined)
    const answered = once(upstream, 'response') as Promise<[IncomingMessage]>
    // Whichever comes first: a server may answer before it has read everything.
    pipeline(incoming, upstream).catch((error: Error) => upstream.destroy(error))
    const [answer] = await answered
    const { connection: ownConnection, 'keep-alive': __, 'transfer-encoding': ___, ...rest } = answer.headers
    return { status: answer.statusCode ?? 502, headers: rest, body: answer }
  }

  async #late(
    active: ActiveHttpFault,
    lag: number,
    { method, url }: ProxiedRequest,
    incoming: IncomingMessage,
    newest: Answer,
  ): Promise<Answer> {
    const name = `${method} ${url} ${incoming.headers.depth ?? ''}`
    const answers = active.earlier.get(name) ?? []
    active.earlier.set(name, answers)
    answers.push({ ...newest, body: [await collect(newest.body)] })
    const answer = answers[Math.max(0, answers.length - 1 - lag)] as Answer
    if (answer !== answers.at(-1)) this.#counts.lateAnswers++
    return answer
  }

  async #cut(body: Answer['body'], outgoing: ServerResponse, afterBytes: number): Promise<void> {
    let left = afterBytes
    for await (const chunk of body) {
      const piece = chunk.subarray(0, left)
      left -= piece.length
      await new Promise<void>((resolve, reject) =>
        outgoing.write(piece, (error) => (error ? reject(error) : resolve())),
      )
      if (piece.length === chunk.length) continue
      this.#counts.cutBodies++
      outgoing.destroy()
      return
    }
    outgoing.end()
  }
}

async function collect(body: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

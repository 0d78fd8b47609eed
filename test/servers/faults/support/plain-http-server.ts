import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The simplest server that keeps the contract of a storage: objects by path, in memory; a list is JSON. */
export class PlainHttpServer {
  readonly #objects = new Map<string, Buffer>()
  readonly #server: Server = createServer((incoming, outgoing) => {
    this.#handle(incoming, outgoing).catch(() => outgoing.destroy())
  })

  get address() {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port }
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://localhost')
    const key = pathname.slice(1)
    if (incoming.method === 'PUT') return this.#put(key, incoming, outgoing)
    incoming.resume()
    const prefix = searchParams.get('list')
    if (prefix !== null) {
      const found = [...this.#objects].filter(([name]) => name.startsWith(prefix))
      outgoing.end(JSON.stringify(found.map(([name, { length }]) => ({ key: name, sizeBytes: length }))))
    } else if (incoming.method === 'DELETE') {
      this.#objects.delete(key)
      outgoing.writeHead(204).end()
    } else this.#get(key, incoming, outgoing)
  }

  async #put(key: string, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    // Breaks off when the body does: nothing is stored then.
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const isTaken = incoming.headers['if-none-match'] === '*' && this.#objects.has(key)
    if (!isTaken) this.#objects.set(key, Buffer.concat(chunks))
    outgoing.writeHead(isTaken ? 412 : 201).end()
  }

  #get(key: string, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const found = this.#objects.get(key)
    const [, from = '0', to] = /^bytes=(\d+)-(\d*)$/.exec(incoming.headers.range ?? '') ?? []
    const end = to === undefined || to === '' ? found?.length : Number(to) + 1
    const range = found?.subarray(Number(from), end)
    const status = range === undefined ? 404 : incoming.headers.range === undefined ? 200 : 206
    outgoing.writeHead(status, { 'content-length': range?.length ?? 0 })
    outgoing.end(incoming.method === 'HEAD' ? undefined : range)
  }
}

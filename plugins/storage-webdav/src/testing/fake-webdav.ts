import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Secret, type Storage, type StorageRequest } from '@bkp/plugin-api'
import { openWebdavStorage } from '../open.js'

export interface Seen {
  readonly method: string
  /** Decoded, below the server's root, e.g. `/r/index/ab`. */
  readonly path: string
  readonly headers: IncomingMessage['headers']
}

/** Says what the fake would not say by itself. @returns whether it has answered, or never will */
export type Intercept = (request: Seen, response: ServerResponse) => boolean

const properties = (file: Buffer | undefined, size: string) =>
  file === undefined
    ? `<D:propstat><D:prop><D:getcontentlength/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
       <D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>`
    : `<D:propstat><D:prop><D:resourcetype/>${size}</D:prop>
       <D:status>HTTP/1.1 200 OK</D:status></D:propstat>`

/** A WebDAV server in memory, strict where servers differ, for what no real server shows on demand. */
export class FakeWebdav {
  readonly files = new Map<string, Buffer>()
  readonly collections = new Set(['/', '/r/'])
  readonly seen: Seen[] = []
  intercept: Intercept = () => false
  tellsSizes = true
  /** How it names what it lists. */
  hrefOf = (path: string) => encodeURI(path)
  readonly #server: Server
  readonly #opened: Storage[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('request', (request, response) => void this.#serve(request, response))
    // Asked before the body is sent, it may refuse right away.
    server.on('checkContinue', (request, response) => {
      if (this.#intercepted(request, response)) return
      response.writeContinue()
      void this.#serve(request, response, 'asked')
    })
  }

  static start(): Promise<FakeWebdav> {
    const server = createServer()
    return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(new FakeWebdav(server))))
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get url(): string {
    return `${this.origin.replace('http', 'webdav')}/r`
  }

  /** Closed with the fake. */
  async open(
    configuration: StorageRequest['configuration'] = {},
    intent: StorageRequest['intent'] = 'open',
  ): Promise<Storage> {
    const storage = await openWebdavStorage({ url: this.url, configuration, intent, log: silentLog })
    this.#opened.push(storage)
    return storage
  }

  async stop(): Promise<void> {
    for (const storage of this.#opened) await storage.close()
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #intercepted(request: IncomingMessage, response: ServerResponse): boolean {
    const path = decodeURIComponent(request.url ?? '')
    const seen = { method: request.method ?? '', path, headers: request.headers }
    this.seen.push(seen)
    return this.intercept(seen, response)
  }

  async #serve(request: IncomingMessage, response: ServerResponse, asked?: 'asked'): Promise<void> {
    if (asked === undefined && this.#intercepted(request, response)) return
    const pieces: Buffer[] = []
    try {
      for await (const piece of request) pieces.push(piece as Buffer)
    } catch {
      // A body that breaks off leaves nothing.
      return
    }
    const path = decodeURIComponent(request.url ?? '')
    const { status, body = '' } = this.#act(path, request, Buffer.concat(pieces))
    response.writeHead(status, { 'Content-Length': Buffer.byteLength(body) }).end(request.method === 'HEAD' ? '' : body)
  }

  #act(path: string, { method, headers }: IncomingMessage, body: Buffer): { status: number; body?: string | Buffer } {
    const isCollection = this.collections.has(path.endsWith('/') ? path : `${path}/`)
    const file = this.files.get(path)
    switch (method) {
      case 'PROPFIND':
        if (headers.depth !== '0' && headers.depth !== '1') return { status: 403 }
        if (!isCollection && file === undefined) return { status: 404 }
        return { status: 207, body: this.#describe(path, headers.depth) }
      case 'GET':
      case 'HEAD':
        return file === undefined ? { status: isCollection ? 405 : 404 } : { status: 200, body: file }
      case 'MKCOL':
        if (isCollection || file !== undefined) return { status: 405 }
        if (!this.#hasParent(path)) return { status: 409 }
        this.collections.add(path.endsWith('/') ? path : `${path}/`)
        return { status: 201 }
      case 'PUT':
        if (isCollection || !this.#hasParent(path)) return { status: 409 }
        this.files.set(path, body)
        return { status: 201 }
      case 'MOVE': {
        const { pathname } = new URL(String(headers.destination), this.origin)
        const target = decodeURIComponent(pathname)
        if (file === undefined) return { status: 404 }
        if (!this.#hasParent(target)) return { status: 409 }
        const isTaken = this.files.has(target) || this.collections.has(`${target}/`)
        if (isTaken && headers.overwrite === 'F') return { status: 412 }
        for (const one of this.collections) if (one.startsWith(`${target}/`)) this.collections.delete(one)
        this.files.delete(path)
        this.files.set(target, file)
        return { status: 201 }
      }
      case 'DELETE':
        if (!isCollection && file === undefined) return { status: 404 }
        for (const one of this.files.keys()) if (one === path || one.startsWith(`${path}/`)) this.files.delete(one)
        this.collections.delete(path.endsWith('/') ? path : `${path}/`)
        return { status: 204 }
      default:
        return { status: 501 }
    }
  }

  #hasParent(path: string): boolean {
    return this.collections.has(path.slice(0, path.lastIndexOf('/', path.length - 2) + 1))
  }

  #describe(path: string, depth: string): string {
    const start = path.endsWith('/') ? path : `${path}/`
    const isChild = (one: string) => depth === '1' && one !== start && /^[^/]+\/?$/.test(one.slice(start.length))
    const below = [...this.collections, ...this.files.keys()].filter((one) => one.startsWith(start) && isChild(one))
    const self = this.files.has(path) ? path : start
    const responses = [self, ...below].map((one) => {
      const file = this.files.get(one)
      const size = this.tellsSizes ? `<D:getcontentlength>${file?.length}</D:getcontentlength>` : ''
      return `<D:response><D:href>${this.hrefOf(one)}</D:href>${properties(file, size)}</D:response>`
    })
    return `<?xml version="1.0"?>\n<D:multistatus xmlns:D="DAV:">${responses.join('\n')}</D:multistatus>\n`
  }
}

/** Runs `action` with a fake of its own. */
export async function withFake(action: (fake: FakeWebdav) => Promise<void>): Promise<void> {
  const fake = await FakeWebdav.start()
  try {
    await action(fake)
  } finally {
    await fake.stop()
  }
}

export const ann = { username: 'ann', password: new Secret('the secret of ann') }

const silentLog = { debug: () => undefined, info: () => undefined, warn: () => undefined }

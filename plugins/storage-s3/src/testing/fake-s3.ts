import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { crc32 } from 'node:zlib'

export interface Seen {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** What the bucket says about locks: it was made with them. */
const locks = '<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>'

/** Answers in place of the server, or changes what arrived; undefined lets it go on. */
export type Fault = (seen: Seen, answer: ServerResponse) => unknown

/**
 * A strict server of the S3 protocol for faults that no real one can be made to show. It believes no body whose length,
 * signed hash or checksum is wrong, and takes an unsigned one by TLS alone. It knows one bucket and no signatures.
 */
export class FakeS3 {
  readonly objects = new Map<string, Buffer>()
  readonly uploads = new Map<string, Map<number, Buffer>>()
  readonly seen: Seen[] = []
  /** Objects on one page of a list. */
  pageSize = 1000
  #faults: Fault[] = []
  #server: Server
  readonly #scheme: 'http' | 'https'

  constructor(tls?: { readonly key: string; readonly cert: string }) {
    const handle = (request: IncomingMessage, answer: ServerResponse) => void this.#handle(request, answer)
    this.#scheme = tls === undefined ? 'http' : 'https'
    this.#server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get endpoint(): string {
    return `${this.#scheme}://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Open connections. */
  connections(): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  }

  /** For every later request, until the next call. */
  fail(...faults: Fault[]): void {
    this.#faults = faults
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #handle(request: IncomingMessage, answer: ServerResponse): Promise<unknown> {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of request) chunks.push(chunk as Buffer)
    } catch {
      return // The client has gone.
    }
    const url = new URL(request.url ?? '', this.endpoint)
    const seen: Seen = {
      method: request.method ?? '',
      path: decodeURIComponent(url.pathname).replace(/^\/bucket\/?/, ''),
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    }
    this.seen.push(seen)
    for (const fault of this.#faults) {
      fault(seen, answer)
      if (answer.writableEnded || answer.destroyed || answer.headersSent) return
    }
    const complaint = seen.method === 'PUT' ? this.#complaint(seen) : undefined
    if (complaint !== undefined) return fail(400, complaint)(seen, answer)
    return this.#serve(seen, answer)
  }

  #complaint({ headers, body }: Seen): string | undefined {
    const sha256 = createHash('sha256').update(body)
    const signed = headers['x-amz-content-sha256']
    const isUnsigned = signed === 'UNSIGNED-PAYLOAD' && this.#scheme === 'https'
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    const given = (name: string, value: string) => headers[name] === undefined || headers[name] === value
    if (headers['content-length'] !== String(body.length)) return 'MissingContentLength'
    if (!isUnsigned && signed !== sha256.copy().digest('hex')) return 'XAmzContentSHA256Mismatch'
    const isRight =
      given('x-amz-checksum-crc32', sum.toString('base64')) &&
      given('x-amz-checksum-sha256', sha256.digest('base64')) &&
      given('content-md5', createHash('md5').update(body).digest('base64'))
    return isRight ? undefined : 'BadDigest'
  }

  #serve(seen: Seen, answer: ServerResponse): unknown {
    const { method, path, query } = seen
    const upload = this.uploads.get(query.get('uploadId') ?? '')
    if (method === 'POST' && query.has('uploads')) {
      const id = `upload-${this.uploads.size}`
      this.uploads.set(id, new Map())
      return xml(
        answer,
        200,
        `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      )
    }
    if (query.has('uploadId')) {
      if (upload === undefined) return fail(404, 'NoSuchUpload')(seen, answer)
      if (method === 'PUT') upload.set(Number(query.get('partNumber')), seen.body)
      if (method === 'POST')
        this.objects.set(path, Buffer.concat([...upload].sort(([a], [b]) => a - b).map(([, b]) => b)))
      if (method !== 'PUT') this.uploads.delete(query.get('uploadId') ?? '')
      answer.setHeader('etag', '"tag"')
      if (method === 'POST') return xml(answer, 200, '<CompleteMultipartUploadResult/>')
      return answer.writeHead(method === 'PUT' ? 200 : 204).end()
    }
    if (method === 'PUT') {
      if (seen.headers['if-none-match'] === '*' && this.objects.has(path))
        return fail(412, 'PreconditionFailed')(seen, answer)
      this.objects.set(path, seen.body)
      return answer.writeHead(200, { etag: '"tag"' }).end()
    }
    if (method === 'DELETE') this.objects.delete(path)
    if (method === 'DELETE') return answer.writeHead(204).end()
    if (query.has('object-lock')) return xml(answer, 200, locks)
    if (query.has('list-type')) return this.#list(query, answer)
    const object = this.objects.get(path)
    if (object === undefined) return fail(404, 'NoSuchKey')(seen, answer)
    return this.#give(object, seen, answer)
  }

  #give(object: Buffer, { method, headers }: Seen, answer: ServerResponse): unknown {
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
    if (first === undefined) {
      answer.writeHead(200, { 'content-length': object.length })
      return answer.end(method === 'HEAD' ? undefined : object)
    }
    if (Number(first) >= object.length) return xml(answer, 416, '<Error><Code>InvalidRange</Code></Error>')
    const part = object.subarray(Number(first), last === '' ? undefined : Number(last) + 1)
    const range = `bytes ${first}-${Number(first) + part.length - 1}/${object.length}`
    return answer.writeHead(206, { 'content-length': part.length, 'content-range': range }).end(part)
  }

  #list(query: URLSearchParams, answer: ServerResponse): unknown {
    const after = query.get('continuation-token') ?? ''
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(query.get('prefix') ?? '') && key > after)
      .sort()
    const page = keys.slice(0, this.pageSize)
    const isTruncated = keys.length > page.length
    const contents = page.map(
      (key) => `<Contents><Key>${key}</Key><Size>${this.objects.get(key)?.length}</Size></Contents>`,
    )
    const next = isTruncated ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : ''
    const body = `<IsTruncated>${isTruncated}</IsTruncated>${next}${contents.join('')}`
    return xml(answer, 200, `<ListBucketResult>${body}</ListBucketResult>`)
  }
}

/** An error as S3 tells it. */
export function fail(status: number, code: string, more = '', headers: Readonly<Record<string, string>> = {}): Fault {
  return ({ method }, answer) => {
    for (const [name, value] of Object.entries(headers)) answer.setHeader(name, value)
    return xml(
      answer,
      status,
      method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>no</Message>${more}</Error>`,
    )
  }
}

function xml(answer: ServerResponse, status: number, body: string): unknown {
  const text = body === '' ? '' : `<?xml version="1.0" encoding="UTF-8"?>${body}`
  return answer.writeHead(status, { 'content-type': 'application/xml' }).end(text)
}

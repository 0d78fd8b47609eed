import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isPortError, type Logger, type Notifier, Secret } from '@bkp/plugin-api'
import { describeNotifier, type ServiceState, sampleNotification } from '@bkp/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { openWebhookNotifier } from './webhook-notifier.js'

const log: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined }
const path = 'uuid-of-the-secret-url'
const token = 'tok-en-secret'
const patient = () => ({ signal: new AbortController().signal })

interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A service on loopback. */
async function serve(state: ServiceState, status = 500, headers: Record<string, string> = {}) {
  const received: Received[] = []
  const server: Server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    received.push({ method: request.method, url: request.url, headers: request.headers, body })
    if (state === 'hanging') return
    if (state === 'refusing')
      response.writeHead(status, headers).end(`no: ${request.url} ${request.headers.authorization} ${body}`)
    else response.writeHead(200).end('ok')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  if (state === 'offline') await close()
  return { base: `http://127.0.0.1:${port}`, received, close }
}

async function notifierOf(options: Readonly<Record<string, unknown>>): Promise<Notifier> {
  return openWebhookNotifier({ configuration: options, log })
}

describeNotifier('webhook', {
  secrets: [path, token],
  async open(state) {
    const { base, received, close } = await serve(state, 403)
    return {
      notifier: await notifierOf({ url: new Secret(`${base}/${path}`), token: new Secret(token) }),
      received: async () => received.map(({ body }) => body),
      dispose: close,
    }
  },
})

describe('the request', () => {
  const open: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })
  const service = async (...given: Parameters<typeof serve>) => {
    const served = await serve(...given)
    open.push(served.close)
    return served
  }

  it('holds the message as JSON, and the token', async () => {
    const { base, received } = await service('working')
    const notification = sampleNotification('failed')
    const notifier = await notifierOf({ url: new Secret(`${base}/${path}`), token: new Secret(token) })
    await notifier.notify(notification, patient())
    expect(received).toMatchObject([
      {
        method: 'POST',
        url: `/${path}`,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      },
    ])
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(notification)
  })

  it('goes to the URL of its kind, and nowhere where there is none', async () => {
    const { base, received } = await service('working')
    const url = (end: string) => new Secret(`${base}/${end}`)
    const pings = await notifierOf({
      startedUrl: url('start'),
      finishedUrl: url(''),
      failedUrl: url('fail'),
      method: 'GET',
    })
    for (const kind of ['started', 'finished', 'degraded', 'failed'] as const)
      await pings.notify(sampleNotification(kind), patient())
    expect(received.map((request) => request.url)).toEqual(['/start', '/', '/fail'])
    expect(received.every(({ body, method }) => body === '' && method === 'GET')).toBe(true)
  })

  it('may be a text or JSON of the configuration, with headers', async () => {
    const { base, received } = await service('working')
    const url = new Secret(base)
    const text = await notifierOf({ url, text: '{title}: {summary} {other}', headers: { Title: 'Backup' } })
    await text.notify(sampleNotification('failed'), patient())
    const json = await notifierOf({ url, json: { content: ['{title}', 7], code: '{exitCode}' } })
    await json.notify(sampleNotification('failed', 'a "quote"'), patient())
    expect(received[0]).toMatchObject({
      headers: { title: 'Backup', 'content-type': 'text/plain; charset=utf-8' },
      body: 'bkp backup documents on nas has failed: It is failed {other}',
    })
    expect(JSON.parse(received[1]?.body ?? '')).toEqual({
      content: ['bkp backup documents on nas has failed', 7],
      code: '1',
    })
  })

  it.each([
    [401, 'auth'],
    [403, 'forbidden'],
    [404, 'not-found'],
    [429, 'throttled'],
    [500, 'transient'],
  ])('that is answered with %s fails as %s', async (status, code) => {
    const { base } = await service('refusing', status, { 'retry-after': '7' })
    const notifier = await notifierOf({ url: new Secret(`${base}/${path}`) })
    const error = await notifier.notify(sampleNotification('failed'), patient()).catch((reason: unknown) => reason)
    expect(isPortError(error) && [error.code, error.retryAfterMs]).toEqual([code, 7000])
    expect(String(error)).toContain(`127.0.0.1`)
  })

  it.each([
    ['no URL', {}],
    ['no web address', { url: new Secret('ftp://example/secret-part') }],
    ['a password in it', { url: new Secret('https://ann:secret-part@example') }],
    ['both text and json', { url: new Secret('https://example'), text: 'x', json: {} }],
  ])('is not tried with %s', async (_, options) => {
    const error = await notifierOf(options).catch((reason: unknown) => reason)
    expect(isPortError(error, 'config')).toBe(true)
    expect(String(error)).not.toContain('secret-part')
  })
})

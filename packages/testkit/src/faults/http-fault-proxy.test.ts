import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { firstOnes } from '../support/occasions.js'
import { randomLikeBytes } from '../support/samples.js'
import { type HttpFaultProxy, startHttpFaultProxy } from './http-fault-proxy.js'

const bytes = randomLikeBytes(300_000)
let server: Server
let proxy: HttpFaultProxy
let stored: Map<string, Buffer>

beforeEach(async () => {
  stored = new Map()
  server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const key = incoming.url ?? ''
    if (incoming.method === 'PUT') stored.set(key, Buffer.concat(chunks))
    outgoing.setHeader('x-host', incoming.headers.host ?? '')
    if (key === '/list') return outgoing.end([...stored.keys()].join())
    const found = stored.get(key)
    outgoing.statusCode = incoming.method === 'PUT' ? 201 : found === undefined ? 404 : 200
    outgoing.end(incoming.method === 'PUT' ? '' : found)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await startHttpFaultProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})

afterEach(async () => {
  await proxy.close()
  server.close()
  server.closeAllConnections()
})

const ask = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${proxy.port}${path}`, init)
const put = (path: string, body: Uint8Array) => ask(path, { method: 'PUT', body: Buffer.from(body) })
const bodyOf = async (path: string) => Buffer.from(await (await ask(path)).arrayBuffer())

describe('HttpFaultProxy', () => {
  it('passes requests and answers on as they are', async () => {
    expect((await put('/a?b=c', bytes)).status).toBe(201)
    expect(Buffer.compare(await bodyOf('/a?b=c'), bytes)).toBe(0)
    const missing = await ask('/missing')
    expect(missing.status).toBe(404)
    expect(missing.headers.get('x-host')).toBe(`127.0.0.1:${proxy.port}`)
    expect((await ask('/a?b=c', { method: 'HEAD' })).status).toBe(200)
    expect(proxy.counts).toEqual({ requests: 4, statuses: 0, cutBodies: 0, dates: 0, lateAnswers: 0 })
  })

  it('answers the next requests with a status, and the server sees nothing of them', async () => {
    proxy.add({ kind: 'status', status: 503, retryAfter: '7', when: firstOnes(2) })
    const answers = [await put('/a', bytes), await put('/a', bytes)]
    expect(answers.map(({ status, headers }) => [status, headers.get('retry-after')])).toEqual([
      [503, '7'],
      [503, '7'],
    ])
    expect(stored.size).toBe(0)
    expect((await put('/a', bytes)).status).toBe(201)
    expect(proxy.counts.statuses).toBe(2)
  })

  it('answers a share of the requests that match, the same for the same seed', async () => {
    const matches = ({ method }: { method: string }) => method === 'PUT'
    proxy.add({ kind: 'status', status: 401, matches, when: { kind: 'random', probability: 0.5, seed: 3 } })
    const statuses: number[] = []
    for (let n = 0; n < 20; n++) statuses.push((await put('/a', bytes.subarray(0, 9))).status)
    expect((await ask('/a')).status).toBe(200)
    const hits = statuses.filter((status) => status === 401).length
    expect(hits).toBeGreaterThan(4)
    expect(hits).toBeLessThan(16)
    expect(proxy.counts.statuses).toBe(hits)
  })

  it('loses the answer of what was done', async () => {
    proxy.add({ kind: 'status', status: 500, moment: 'after', body: 'sorry', when: firstOnes(1) })
    const answer = await put('/a', bytes)
    expect([answer.status, await answer.text()]).toEqual([500, 'sorry'])
    expect(stored.get('/a')).toHaveLength(bytes.length)
  })

  it('cuts the body of an answer', async () => {
    await put('/a', bytes)
    const heal = proxy.add({ kind: 'cut-body', afterBytes: 1000 })
    await expect(bodyOf('/a')).rejects.toThrow()
    expect(proxy.counts.cutBodies).toBe(1)
    heal()
    expect(await bodyOf('/a')).toHaveLength(bytes.length)
  })

  it('tells a wrong date', async () => {
    proxy.add({ kind: 'date', offsetMs: -3_600_000 })
    const date = (await ask('/a')).headers.get('date') ?? ''
    expect(Date.now() - Date.parse(date)).toBeGreaterThan(3_590_000)
    expect(proxy.counts.dates).toBe(1)
  })

  it('lets lists lag behind puts', async () => {
    proxy.add({ kind: 'late', lag: 2, matches: ({ url }) => url === '/list' })
    const lists: string[] = []
    for (const key of ['/a', '/b', '/c', '/d']) {
      await put(key, bytes.subarray(0, 9))
      lists.push(await (await ask('/list')).text())
    }
    expect(lists).toEqual(['/a', '/a', '/a', '/a,/b'])
    expect(proxy.counts.lateAnswers).toBe(3)
    proxy.heal()
    expect(await (await ask('/list')).text()).toBe('/a,/b,/c,/d')
  })

  it('ends the connection when the server is not there', async () => {
    server.closeAllConnections()
    server.close()
    await expect(ask('/a')).rejects.toThrow()
  })
})

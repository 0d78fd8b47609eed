import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { randomLikeBytes } from '../support/samples.js'
import { type FaultProxy, startFaultProxy } from './fault-proxy.js'

const bytes = randomLikeBytes(300_000)
let server: Server
let proxy: FaultProxy
let received: Buffer[]
const opened: Socket[] = []

beforeEach(async () => {
  received = []
  // Sends back what it is sent.
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => received.push(chunk))
    socket.pipe(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy = await startFaultProxy({ target: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } })
})

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy()
  await proxy.close()
  server.close()
  await once(server, 'close')
})

async function open(): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: proxy.host, allowHalfOpen: true })
  socket.on('error', () => undefined)
  opened.push(socket)
  await once(socket, 'connect')
  return socket
}

/** The end of a connection, also by an error. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => (socket.closed ? resolve() : socket.once('close', () => resolve())))
}

/** What comes back of `sent`, until the connection ends. */
async function echo(sent: Uint8Array, socket?: Socket): Promise<Buffer> {
  const connection = socket ?? (await open())
  const chunks: Buffer[] = []
  connection.on('data', (chunk) => chunks.push(chunk))
  connection.end(sent)
  await closed(connection)
  return Buffer.concat(chunks)
}

describe('FaultProxy', () => {
  it('passes everything on unchanged, over several connections at once', async () => {
    const echoed = await Promise.all([1, 2, 3].map((seed) => echo(randomLikeBytes(300_000, seed))))
    for (const [n, one] of echoed.entries()) expect(Buffer.compare(one, randomLikeBytes(300_000, n + 1))).toBe(0)
    expect(proxy.counts).toMatchObject({ connections: 3, bytesUp: 900_000, bytesDown: 900_000, cuts: 0, stalls: 0 })
  })

  it.each([0, 1, 99_999])('cuts after %i bytes on their way up, exactly, and only once', async (afterBytes) => {
    proxy.add({ kind: 'cut', direction: 'up', afterBytes })
    await echo(bytes)
    expect(proxy.counts).toMatchObject({ cuts: 1, bytesUp: afterBytes })
    expect(Buffer.concat(received)).toHaveLength(afterBytes)
    expect(await echo(bytes)).toHaveLength(bytes.length)
    expect(proxy.counts.cuts).toBe(1)
  })

  it('cuts on the way down', async () => {
    proxy.add({ kind: 'cut', direction: 'down', afterBytes: 1234 })
    expect(await echo(bytes)).toHaveLength(1234)
    expect(proxy.counts).toMatchObject({ cuts: 1, bytesDown: 1234 })
  })

  it('cuts at places that a seed tells, the same for the same seed', async () => {
    const lengths = async (seed: number) => {
      proxy.add({ kind: 'random-cut', direction: 'down', withinBytes: 100_000, seed, times: 3 })
      const cut = [await echo(bytes), await echo(bytes), await echo(bytes)].map(({ length }) => length)
      expect(await echo(bytes)).toHaveLength(bytes.length)
      return cut
    }
    const [one, again, other] = [await lengths(1), await lengths(1), await lengths(2)]
    expect(new Set(one).size).toBe(3)
    expect(Math.max(...one)).toBeLessThan(100_000)
    expect(again).toEqual(one)
    expect(other).not.toEqual(one)
  })

  it('stalls until it is healed, and then nothing is lost', async () => {
    proxy.add({ kind: 'stall', direction: 'up', afterBytes: 1000 })
    const running = echo(bytes)
    while (proxy.counts.stalls === 0) await new Promise(setImmediate)
    expect(proxy.counts.bytesUp).toBe(1000)
    proxy.heal()
    expect(Buffer.compare(await running, bytes)).toBe(0)
  })

  it('stalls for a time', async () => {
    proxy.add({ kind: 'stall', direction: 'down', ms: 100 })
    const began = performance.now()
    expect(await echo(bytes)).toHaveLength(bytes.length)
    expect(performance.now() - began).toBeGreaterThan(95)
    expect(proxy.counts.stalls).toBe(1)
  })

  it('takes everything and passes nothing on when it is silent', async () => {
    proxy.add({ kind: 'silence' })
    const socket = await open()
    socket.write(bytes)
    while (proxy.counts.silencedBytes < bytes.length) await new Promise(setImmediate)
    expect([received.length, socket.bytesRead]).toEqual([0, 0])
  })

  it.each([
    ['throttles', { kind: 'throttle', bytesPerSecond: 10_000 }, 200],
    ['delays', { kind: 'latency', ms: 60 }, 110],
  ] as const)('%s both directions', async (_, fault, leastMs) => {
    proxy.add(fault)
    const began = performance.now()
    expect(await echo(bytes.subarray(0, 1000))).toHaveLength(1000)
    expect(performance.now() - began).toBeGreaterThan(leastMs - 10)
  })

  it('refuses connections and ends those that are there, and accepts on the same port again', async () => {
    const { port } = proxy
    const socket = await open()
    await proxy.refuse()
    await closed(socket)
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await proxy.accept()
    expect([proxy.port, (await echo(bytes)).length]).toEqual([port, bytes.length])
  })

  it('ends all connections when it restarts, stalled ones too', async () => {
    proxy.add({ kind: 'stall', direction: 'up' })
    const running = echo(bytes)
    while (proxy.counts.stalls === 0) await new Promise(setImmediate)
    await proxy.restart(10)
    expect(await running).toHaveLength(0)
    expect(proxy.counts.restarts).toBe(1)
    proxy.heal()
    expect(await echo(bytes)).toHaveLength(bytes.length)
  })

  it('ends a connection whose server is not there, and says so', async () => {
    server.close()
    await once(server, 'close')
    expect(await echo(bytes)).toHaveLength(0)
    expect(proxy.counts.unreachable).toBe(1)
    server.listen()
    await once(server, 'listening')
  })
})

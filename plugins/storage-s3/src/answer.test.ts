import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { Agent } from 'undici'
import { afterEach, expect, it } from 'vitest'
import { answerOf, type Sink } from './answer.js'

let server: Server
const agent = new Agent()

afterEach(async () => {
  server.closeAllConnections()
  await new Promise((done) => server.close(done))
})

async function asked(answer: RequestListener, sink?: Sink, signal?: AbortSignal) {
  server = createServer(answer).listen(0)
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return answerOf(agent, { origin, path: '/', method: 'GET' }, { sink, signal })
}

function collecting(start: Sink['start'] = () => {}) {
  const taken: Buffer[] = []
  return { taken, sink: { start, take: (chunk: Uint8Array) => void taken.push(Buffer.from(chunk)) } }
}

it('gives a sink what an answer holds that says yes, after its headers', async () => {
  const lengths: (string | undefined)[] = []
  const { taken, sink } = collecting((headers) => lengths.push(headers['content-length']))
  const { status, bytes } = await asked((_, response) => {
    response.writeProcessing()
    response.writeHead(206, { 'content-length': '5' }).end('bytes')
  }, sink)
  expect([status, bytes, lengths]).toEqual([206, [], ['5']])
  expect(Buffer.concat(taken).toString()).toBe('bytes')
})

it('keeps what an answer holds that says no from a sink', async () => {
  const { taken, sink } = collecting(() => expect.unreachable())
  const { status, bytes } = await asked((_, response) => response.writeHead(404).end('<Code>'), sink)
  expect([status, Buffer.concat(bytes).toString(), taken]).toEqual([404, '<Code>', []])
})

it('rejects with what a sink throws, and reads no further', async () => {
  const { taken, sink } = collecting(() => {
    throw new RangeError('another size')
  })
  let isEnded = false
  const asking = asked((_, response) => {
    response.on('close', () => (isEnded = true))
    response.writeHead(200).write('bytes')
  }, sink)
  await expect(asking).rejects.toThrow('another size')
  await expect.poll(() => isEnded).toBe(true)
  expect(taken).toEqual([])
})

it('gives nothing to a sink any more once the signal is aborted', async () => {
  const { taken, sink } = collecting()
  const stop = new AbortController()
  const asking = asked(
    (_, response) => {
      response.writeHead(200).write('first')
      const more = setInterval(() => response.write('more'), 5)
      response.on('close', () => clearInterval(more))
    },
    sink,
    stop.signal,
  )
  await expect.poll(() => taken.length).toBeGreaterThan(0)
  stop.abort(new Error('enough'))
  const before = taken.length
  await expect(asking).rejects.toThrow('enough')
  await setTimeout(50)
  expect(taken.length).toBe(before)
})

it('does not ask at all with a signal that is aborted already', async () => {
  let wasAsked = false
  const asking = asked(() => (wasAsked = true), undefined, AbortSignal.abort(new Error('enough')))
  await expect(asking).rejects.toThrow('enough')
  expect(wasAsked).toBe(false)
})

it('refuses an answer that has no end', async () => {
  const piece = Buffer.alloc(2 ** 20)
  const asking = asked((_, response) => {
    response.writeHead(200)
    const more = () => {
      while (!response.destroyed && response.write(piece));
      response.once('drain', more)
    }
    more()
  })
  await expect(asking).rejects.toMatchObject({ code: 'unsupported' })
})

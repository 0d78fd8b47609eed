import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ServiceState } from '@bkp/testkit'

/** Stands in for the service, on loopback. */
export interface Service {
  readonly url: string
  /** Bodies of requests, in order. */
  readonly received: readonly string[]
  close(): Promise<void>
}

export async function startService(state: ServiceState): Promise<Service> {
  const received: string[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const piece of request.setEncoding('utf8')) body += piece
    received.push(body)
    if (state === 'refusing') response.writeHead(403).end(`no: ${request.headers.authorization} ${body}`)
    else if (state !== 'hanging') response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async () => {
    server.closeAllConnections()
    if (server.listening) await once(server.close(), 'close')
  }
  if (state === 'offline') await close()
  return { url: `http://127.0.0.1:${port}`, received, close }
}

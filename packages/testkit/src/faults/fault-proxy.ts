import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ActiveFault, type ConnectionFault, type Counts, type ProxyCounts } from './connection-fault.js'
import { ProxiedConnection } from './proxied-connection.js'

/** Where a proxy stands. */
export interface FaultProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
}

/** Begins to listen on a port of loopback that is free. */
export async function startFaultProxy({ target }: FaultProxyOptions): Promise<FaultProxy> {
  const proxy = new FaultProxy(target)
  await proxy.accept()
  return proxy
}

/** Stands between a client and a server (TCP, also with TLS inside) and breaks on demand. Make it by {@link startFaultProxy}. */
export class FaultProxy {
  readonly host = '127.0.0.1'
  readonly #target: FaultProxyOptions['target']
  readonly #connections = new Set<ProxiedConnection>()
  readonly #faults = new Set<ActiveFault>()
  readonly #counts: Counts = {
    connections: 0,
    cuts: 0,
    stalls: 0,
    silencedBytes: 0,
    restarts: 0,
    unreachable: 0,
    bytesUp: 0,
    bytesDown: 0,
  }
  #server: Server | undefined
  #port = 0

  constructor(target: FaultProxyOptions['target']) {
    this.#target = target
  }

  get port(): number {
    return this.#port
  }

  /** A copy, which does not change any more. */
  get counts(): ProxyCounts {
    return { ...this.#counts }
  }

  /** Adds a fault to those that are at work. @returns what ends this one */
  add(fault: ConnectionFault): () => void {
    const active = new ActiveFault(fault)
    this.#faults.add(active)
    return () => this.#end(active)
  }

  /** Ends all faults; what was held back goes on. */
  heal(): void {
    for (const fault of this.#faults) this.#end(fault)
  }

  /** Ends all connections and refuses new ones, as a machine does whose server is not running. */
  async refuse(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    const closed = server && once(server, 'close')
    server?.close()
    for (const connection of this.#connections) connection.reset()
    await closed
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.#server !== undefined) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#connect(socket))
    server.listen(this.#port, this.host)
    await once(server, 'listening')
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  /** Refuses for so long, then accepts again. */
  async restart(downMs = 0): Promise<void> {
    this.#counts.restarts++
    await this.refuse()
    await sleep(downMs)
    await this.accept()
  }

  async close(): Promise<void> {
    this.heal()
    await this.refuse()
  }

  #connect(client: Socket): void {
    this.#counts.connections++
    const upstream = new Socket({ allowHalfOpen: true })
    upstream.setNoDelay(true)
    const count = () => this.#counts.unreachable++
    upstream.once('error', count)
    upstream.once('connect', () => upstream.off('error', count))
    upstream.connect(this.#target.port, this.#target.host)
    const connection = new ProxiedConnection(client, upstream, this.#faults, this.#counts)
    this.#connections.add(connection)
    connection.ended.then(() => this.#connections.delete(connection))
  }

  #end(fault: ActiveFault): void {
    this.#faults.delete(fault)
    fault.heal()
  }
}

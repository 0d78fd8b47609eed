import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/** Stands between a client and a server on loopback, and breaks what goes through. */
export interface BreakingProxy {
  readonly port: number
  /** Cuts all connections that are open. */
  cut(): void
  /** From now on nothing goes through, in neither direction, and nobody is told. */
  stall(): void
  flow(): void
  /** Waits until so many bytes more have gone to the server. */
  passed(bytes: number): Promise<void>
  stop(): Promise<void>
}

export async function startProxy(targetPort: number): Promise<BreakingProxy> {
  const sockets = new Set<Socket>()
  let isStalled = false
  let uploaded = 0
  let onUpload: () => void = () => undefined
  const keep = (socket: Socket, other: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      sockets.delete(socket)
      other.destroy()
    })
    socket.on('data', (bytes) => {
      if (!other.write(bytes)) {
        socket.pause()
        other.once('drain', () => {
          if (!isStalled) socket.resume()
        })
      }
    })
    if (isStalled) socket.pause()
  }
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    keep(client, target)
    keep(target, client)
    client.on('data', (bytes) => {
      uploaded += bytes.length
      onUpload()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as { port: number }).port,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    stall() {
      isStalled = true
      for (const socket of sockets) socket.pause()
    },
    flow() {
      isStalled = false
      for (const socket of sockets) socket.resume()
    },
    passed(bytes) {
      const goal = uploaded + bytes
      return new Promise((resolve) => {
        onUpload = () => {
          if (uploaded >= goal) resolve()
        }
      })
    },
    async stop() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

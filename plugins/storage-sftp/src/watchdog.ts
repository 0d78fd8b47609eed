import type { Socket } from 'node:net'

/**
 * Ends a connection on which nothing came for so long. Needs something that comes on a connection at rest, as answers to
 * the keepalive of ssh2. What was sent does not count: the system takes megabytes for a peer that is dead. On a slow line
 * the server answers each request of 254 KiB, so nothing but a line below 5 kB/s is taken for dead after a minute.
 */
export function endWhenDead(socket: Socket, deadAfterMs: number): void {
  let bytes = socket.bytesRead
  let since = performance.now()
  const timer = setInterval(() => {
    if (socket.bytesRead !== bytes) {
      bytes = socket.bytesRead
      since = performance.now()
    } else if (performance.now() - since >= deadAfterMs) {
      socket.destroy(new Error(`nothing came for ${deadAfterMs / 1000} s`))
    }
  }, deadAfterMs / 10)
  socket.once('close', () => clearInterval(timer))
}

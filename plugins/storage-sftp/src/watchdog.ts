import type { Socket } from 'node:net'

/**
 * Ends a connection on which nothing has moved, neither in nor out, for so long. Needs something that moves on a
 * connection at rest, as the keepalive of ssh2 does.
 */
export function endWhenDead(socket: Socket, deadAfterMs: number): void {
  let moved = bytesMoved(socket)
  let since = performance.now()
  const timer = setInterval(() => {
    const now = bytesMoved(socket)
    if (now !== moved) {
      moved = now
      since = performance.now()
    } else if (performance.now() - since >= deadAfterMs) {
      socket.destroy(new Error(`nothing came for ${deadAfterMs / 1000} s`))
    }
  }, deadAfterMs / 10)
  socket.once('close', () => clearInterval(timer))
}

/** What came, and what the system has taken; what still waits in memory does not count. */
function bytesMoved(socket: Socket): number {
  return socket.bytesRead + socket.bytesWritten - socket.writableLength
}

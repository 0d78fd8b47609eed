import type { Line } from './line.js'

/**
 * Ends a connection on which nothing came for so long. Needs something that comes on a connection at rest, as answers to
 * the keepalive of ssh2. What was sent does not count: the system takes megabytes for a peer that is dead. On a slow line
 * the server answers each request of 254 KiB, so nothing but a line below 5 kB/s is taken for dead after a minute.
 */
export function endWhenDead(line: Line, deadAfterMs: number): void {
  let bytes = line.bytesRead()
  let since = performance.now()
  const timer = setInterval(() => {
    if (line.bytesRead() !== bytes) {
      bytes = line.bytesRead()
      since = performance.now()
    } else if (performance.now() - since >= deadAfterMs) {
      line.destroy(new Error(`nothing came for ${deadAfterMs / 1000} s`))
    }
  }, deadAfterMs / 10)
  line.stream.once('close', () => clearInterval(timer))
}
